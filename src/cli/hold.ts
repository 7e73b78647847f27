import { orderCommand } from "./order-command.ts";

/** Holds a service. */
export const hold = orderCommand({
  order: "hold",
  summary: "hold a service: it follows and stores, and writes nothing until `trigger approve`",
  operand: "[WHY]",
  more: "`trigger diff` shows the changes that it would make.",
  fields: ({ operands: [, why] }) => (why === undefined ? {} : { why }),
});
