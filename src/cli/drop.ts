import { UserError } from "../core/util/errors.ts";
import { orderCommand } from "./order-command.ts";

/** Has a service's hosts throw parked messages away. */
export const drop = orderCommand({
  order: "drop",
  summary: "throw parked messages away: all of a service, or the one with this number",
  operand: "[NUMBER]",
  more: "`trigger status` lists them with their numbers. Each host has its own numbers: a number needs --host.",
  fields({ operands: [, number] }) {
    if (number === undefined) return {};
    if (!/^\d{1,15}$/.test(number))
      throw new UserError(`expected the number of a message, found ${JSON.stringify(number)}`);
    return { number: Number(number) };
  },
});
