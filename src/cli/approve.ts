import type { ReadConfig } from "../core/config/config.ts";
import { readDate } from "../core/directory/dates.ts";
import type { Asked } from "../core/stream/order.ts";
import { UserError } from "../core/util/errors.ts";
import { orderCommand } from "./order-command.ts";

/** Lets a held service continue, or allows expected removals. */
export const approve = orderCommand({
  order: "approve",
  summary: "let a held service continue, and take over the foreign things that conflict with it",
  operand: "[DIGEST]",
  options: {
    until: {
      type: "string",
      value: "DATE",
      help: "with --at-most: allow expected removals (`trigger forecast`)",
    },
    "at-most": {
      type: "string",
      value: "N",
      help: "with --until: N more rows may be removed, besides the limit of an hour",
    },
  },
  more: `\`trigger status\` says why the service is held, and on its host \`trigger diff\` shows the difference. If something
would be lost, give the DIGEST that they show. It names the foreign things that would be replaced (a file, a table,
records), the files that would be removed, or the removals beyond the limit of an hour (\`removals\` in the config). If
these have changed by then, they are held under another digest. A DIGEST under which nothing waits is refused.
Without a DIGEST, a service that a person held continues, and a host stops waiting for another host (\`waves\` in the
config). --until and --at-most release nothing that is held: they allow later removals.`,
  oneIsEnough: ({ operands: [, digest] }) => digest !== undefined,
  fields: ({ operands: [, digest], text }, config) => ({
    ...(digest === undefined ? {} : { digest }),
    ...allowance(text("until"), text("at-most"), config),
  }),
});

function allowance(
  until: string | undefined,
  atMost: string | undefined,
  { timezone }: ReadConfig,
): Pick<Asked, "allow"> {
  if (until === undefined && atMost === undefined) return {};
  if (until === undefined || atMost === undefined) throw new UserError("--until DATE and --at-most N belong together");
  if (!/^\d{1,9}$/.test(atMost))
    throw new UserError(`--at-most: expected a number of rows, found ${JSON.stringify(atMost)}`);
  try {
    return { allow: { rows: Number(atMost), until: readDate(until, timezone).getTime() } };
  } catch (cause) {
    throw new UserError("--until", { cause });
  }
}
