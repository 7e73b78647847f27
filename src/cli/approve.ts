import type { ReadConfig } from "../core/config/config.ts";
import { readDate } from "../core/directory/dates.ts";
import type { OrderMessage } from "../core/stream/messages.ts";
import { UserError } from "../core/util/errors.ts";
import { notApprovable, waitsForDigest } from "../operations/approvable.ts";
import type { Arguments } from "./command.ts";
import { orderCommand } from "./order-command.ts";

/** Lets a held service go on, or allows removals that are known to come. */
export const approve = orderCommand({
  order: "approve",
  summary: "let a held service go on, and take over the foreign things that conflict with it",
  operand: "[DIGEST]",
  options: {
    until: {
      type: "string",
      value: "DATE",
      help: "with --at-most: allow removals that are known to come (`trigger forecast`)",
    },
    "at-most": {
      type: "string",
      value: "N",
      help: "with --until: N more rows may be removed, beside the limit of an hour",
    },
  },
  more: `\`trigger status\` says why the service is held, and on its host \`trigger diff\` shows the difference. Where something would
be lost, the DIGEST that was shown is needed. It names the foreign things that would be replaced (a file, a table,
records), the files that would be removed, or the removals beyond the limit of an hour (\`removals\` in the config). If
these have changed by then, they are held under another digest. A DIGEST that no host has reported changes nothing.
Without a DIGEST a service goes on that a person held, and a host stops waiting for another one (\`waves\` in the
config). With --until and --at-most nothing that is held goes on: they are about removals to come.

Exit codes
  0  asked; without a DIGEST, nothing is known to wait for one
  1  no host is known to wait under this DIGEST: nothing was asked, and what waits is named;
     without a DIGEST: asked, and what goes on waiting for one is named, or the hosts without a report
  2  it could not be asked`,
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
