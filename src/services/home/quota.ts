import { posix } from "node:path";
import { z } from "zod";
import type { Host } from "../../core/service/host-api.ts";
import { CommandFailed, reason } from "../../core/util/errors.ts";
import type { Schemas } from "../settings.ts";

const units = { K: 1, M: 1024, G: 1024 ** 2, T: 1024 ** 3 };
const wrongSize = 'is not a size, such as "500M", "10G" or "1T"';
/** A size in KiB. */
const size = z
  .string(wrongSize)
  .regex(/^[1-9][0-9]{0,8}[KMGT]$/, wrongSize)
  .transform((text) => Number.parseInt(text, 10) * units[text.slice(-1) as keyof typeof units]);
const count = z.int("is not a number of files").min(1, "is not a number of files");

/** The disk quota of a member; a missing limit means none. Sizes are `"500M"`, `"10G"` or `"1T"`. */
export interface QuotaSettings {
  /** The size that a member may fill. */
  readonly space?: string;
  /** The size that a member may fill during the grace period; as much as `space` by default. */
  readonly spaceForAWhile?: string;
  /** The number of files that a member may have. */
  readonly files?: number;
  /** The number of files that a member may have during the grace period; as many as `files` by default. */
  readonly filesForAWhile?: number;
}

const limits = z.strictObject({
  space: size.optional(),
  spaceForAWhile: size.optional(),
  files: count.optional(),
  filesForAWhile: count.optional(),
} satisfies Schemas<QuotaSettings>);

/** The disk quota of every member. A missing limit means none. */
export const quotaSettings = z.union([limits, z.literal(false)], 'is not a quota, such as { space: "10G" }, or false');
export type Quota = z.output<typeof limits>;

/** Sets the quota of uids that have another one. With `all`, the limits of all uids are read at once. */
export async function setQuotas(
  host: Host,
  { base, quota, uids, all }: { base: string; quota: Quota; uids: readonly string[]; all: boolean },
): Promise<void> {
  if (uids.length === 0) return;
  const wanted = limitsOf(quota);
  try {
    const { stdout } = await host.ask(["df", "--output=target", "--", base]);
    const mounted = stdout.trimEnd().split("\n").at(-1) || posix.normalize(base);
    const has = all ? await limitsOn(host, mounted) : new Map<string, string>();
    const input = uids.flatMap((uid) => (has.get(uid) === wanted ? [] : [`${uid} ${wanted}\n`])).join("");
    if (input !== "") await host.tell(["setquota", "-u", "-b", mounted], { input });
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error;
    const why = /no quota enabled/.test(error.message)
      ? `the file system of ${base} has no quota enabled`
      : reason(error);
    throw new Error(`the homes have no quota: ${why}`, { cause: error });
  }
}

/** The limits in the order of setquota(8) and repquota(8): soft and hard, of KiB and of files. */
function limitsOf({ space = 0, spaceForAWhile = space, files = 0, filesForAWhile = files }: Quota): string {
  return [space, Math.max(space, spaceForAWhile), files, Math.max(files, filesForAWhile)].join(" ");
}

/** The limits of every uid that has any, or has files, on a file system. */
async function limitsOn(host: Host, mounted: string): Promise<Map<string, string>> {
  const { stdout } = await host.ask(["repquota", "-u", "-n", "-v", "-O", "csv", mounted]);
  const [head = "", ...lines] = stdout.split("\n");
  const columns = head.split(",");
  const at = ["BlockSoftLimit", "BlockHardLimit", "FileSoftLimit", "FileHardLimit"].map((name) =>
    columns.indexOf(name),
  );
  return new Map(
    lines.map((line) => {
      const cells = line.split(",");
      return [(cells[0] ?? "").replace(/^#/, ""), at.map((column) => cells[column]).join(" ")];
    }),
  );
}
