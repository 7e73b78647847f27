import type { ReadConfig } from "../core/config/config.ts";
import { readDate } from "../core/directory/dates.ts";
import type { OrderMessage } from "../core/stream/messages.ts";
import { UserError } from "../core/util/errors.ts";
import { notApprovable, waitsForDigest } from "../operations/approvable.ts";
import type { Arguments } from "./command.ts";
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
these have changed by then, they are held under another digest. A DIGEST that no host has reported changes nothing.
Without a DIGEST, a service that a person held continues, and a host stops waiting for another host (\`waves\` in the
config). --until and --at-most release nothing that is held: they allow later removals.

Exit codes
  0  the hosts were asked; without a DIGEST, nothing is known to wait for one
  1  no host is known to wait under this DIGEST: no host was asked, and the output lists what waits;
     without a DIGEST: the hosts were asked, and the output lists what still waits for one, or hosts without a report
  2  the hosts could not be asked`,
  async refuses(args, hosts) {
    const [, digest] = args.operands;
    return digest === undefined || isAllowance(args) ? undefined : notApprovable(digest, hosts);
  },
  async leaves(args, hosts) {
    return args.operands[1] === undefined && !isAllowance(args) ? waitsForDigest(hosts) : [];
  },
  fields: ({ operands: [, digest], text }, config) => ({
    ...(digest === undefined ? {} : { digest }),
    ...allowance(text("until"), text("at-most"), config),
  }),
});

const isAllowance = ({ text }: Arguments): boolean => text("until") !== undefined;

function allowance(
  until: string | undefined,
  atMost: string | undefined,
  { timezone }: ReadConfig,
): Pick<OrderMessage, "allow"> {
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
