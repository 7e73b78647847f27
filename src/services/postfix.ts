import { dirname } from "node:path";
import { z } from "zod";
import { cleanMail, column } from "../core/service/columns.ts";
import type { Command, Host } from "../core/service/host-api.ts";
import { type Run, type RunResult, service } from "../core/service/service.ts";
import { othersMayReplace, ownerShown } from "../core/service/trust.ts";
import { claiming } from "./entries.ts";
import { type AliasRow, aliases, notTheirs, type OfPeople } from "./mail/aliases.ts";
import { isFew, type Lookups, type MapPlace, movesBetween, postfixMap } from "./mail/map.ts";
import {
  command,
  notice,
  type PerHost,
  path,
  type ReadyService,
  readSettings,
  type Schemas,
  type Selected,
} from "./settings.ts";

const alone = /^[A-Za-z0-9_]([A-Za-z0-9._+=-]{0,62}[A-Za-z0-9_])?$/;
const address = (text: string): string | undefined =>
  text.includes("@") ? cleanMail(text) : alone.test(text) ? text : undefined;

/**
 * A name of the virtual map, in lower case as Postfix looks it up. A whole domain (`@campus.example`) is not allowed: one
 * entry could take the mail of all its users.
 */
const Alias = column("an alias (a mail address, or a name alone)", (text) => address(text)?.toLowerCase());
const Recipient = column("a recipient (a mail address, or a local user)", address);

/** An alias with its recipients. */
export const aliasRow = z.object({
  alias: Alias,
  to: z.array(Recipient).min(1, "is empty: an alias needs a recipient"),
});
/** The settings of `postfix`. */
export interface PostfixSettings {
  /** The map without the suffix of its type: `virtual_alias_maps = lmdb:/etc/postfix/trigger-virtual`, the default. */
  readonly path?: string;
  /** The type of the map: `lmdb` (the default) is changed entry by entry, `cdb` is always rebuilt. Postfix never sees either half written. */
  readonly type?: "lmdb" | "cdb";
  /** The program that makes maps, `postmap` by default; false writes their text alone. */
  readonly postmap?: Command | false;
}

const settings = z.strictObject({
  path: path.default("/etc/postfix/trigger-virtual"),
  type: z.enum(["lmdb", "cdb"], "is not a type of map: expected lmdb or cdb").default("lmdb"),
  postmap: command.or(z.literal(false)).default(["postmap"]),
} satisfies Schemas<PostfixSettings>);

/** The options of `postfix`. */
export interface PostfixOptions extends PostfixSettings, PerHost<PostfixSettings>, Selected<AliasRow>, OfPeople {
  /**
   * The refusals that remove an alias rather than retain it: `"remove"` for all, or those that are about one of these names.
   * `["domains", "reserved"]` by default.
   */
  readonly refused?: "remove" | readonly string[];
}

/**
 * A virtual alias map of Postfix (virtual(5)). Postfix notices changes by itself: nothing is reloaded.
 *
 * @example
 * ```ts
 * export default postfix({ domains: ["campus.example"], on: { mx2: { type: "cdb" } } });
 * ```
 */
export function postfix(options: PostfixOptions = {}): ReadyService<AliasRow> {
  const { select, entries, claims, domains, reserved, refused = notTheirs, ...given } = options;
  const others = ["select", "entries", "claims", "on", "domains", "reserved", "refused"];
  const settingsOf = readSettings("postfix", settings, given, others);
  return service({
    row: aliasRow as z.ZodType<AliasRow, AliasRow>,
    unique: ["alias"],
    ...claiming("postfix", claims),
    refused,
    select: aliases({ ...(domains && { domains }), ...(reserved && { reserved }) }, { select, entries }),
    async run(table, host): Promise<RunResult> {
      const { path, type, postmap } = settingsOf(host.name);
      if (postmap !== false) await mustBeOfRoot(host, dirname(path));
      if (postmap === false) await host.install({ path, text: aliasText(table.rows) });
      else if (type === "cdb") await rebuild(table, host, { path, type, postmap });
      else return change(table, host, { path, type, postmap });
    },
    async observe(host) {
      const { path, type, postmap } = settingsOf(host.name);
      const map = postmap === false ? undefined : postfixMap(host, { path, type, postmap });
      const found = map ? ((await map.list()) ?? new Map<string, string>()) : await inPlace(host, path);
      return [...found].map(([alias, to]) => ({ alias, to: to.split(/, */) }));
    },
  });
}

/** Throws if other users may write a folder: postmap, run by root, would follow a link that they put there. */
async function mustBeOfRoot({ files }: Host, folder: string): Promise<void> {
  const found = await files.stat(await files.resolve(folder));
  if (process.geteuid?.() !== 0 || !found || !othersMayReplace(found, undefined, 0)) return;
  const why = `other users may write ${folder} (${ownerShown(found)}), and postmap would follow their links as root`;
  throw new Error(`${why}: name a path in a folder of root alone`);
}

/**
 * Updates the map: by its changes if they are known and few, otherwise by its difference, or by a new map if that is
 * faster.
 */
async function change({ rows, changes, interrupted }: Run<AliasRow>, host: Host, place: MapPlace): Promise<RunResult> {
  const map = postfixMap(host, place);
  const wanted = (): Lookups => new Map([...rows].map((row) => [row.alias, targetsOf(row)]));
  if (changes && !interrupted && map.isOurs() && (await map.exists())) {
    const puts = new Map(changes.flatMap(({ after }) => (after ? [[after.alias, targetsOf(after)] as const] : [])));
    const before = changes.flatMap(({ before }) => (before ? [before.alias] : []));
    const moves = { puts, deletes: new Set(before.filter((alias) => !puts.has(alias))) };
    if (isFew(moves)) {
      await map.change(moves);
      return { serving: true };
    }
  }
  await map.takeOver(wanted);
  const [found, all] = [await map.list(), wanted()];
  const moves = found && movesBetween(found, all);
  if (moves && isFew(moves)) await map.change(moves);
  else await map.build(all);
  return { serving: true };
}

/** Makes the map from a text; postmap puts it in place at once. */
async function rebuild({ rows }: Run<AliasRow>, host: Host, place: MapPlace): Promise<void> {
  const map = postfixMap(host, place);
  const wanted: Lookups = new Map([...rows].map((row) => [row.alias, targetsOf(row)]));
  await map.takeOver(() => wanted);
  await host.install(
    { path: place.path, text: aliasText(rows) },
    {
      reload: [...place.postmap, `${place.type}:${place.path}`],
      probe: async () => {
        const moves = movesBetween((await map.list()) ?? new Map(), await inPlace(host, place.path));
        const [first] = [...moves.puts.keys(), ...moves.deletes];
        if (first !== undefined) throw new Error(`${place.path}.${place.type} does not match its text: ${first}`);
      },
    },
  );
}

/** The text of the map, in the order of the rows. */
export function aliasText(rows: Iterable<AliasRow>): string {
  let text = `# ${notice}\n`;
  for (const row of rows) text += `${row.alias} ${targetsOf(row)}\n`;
  return text;
}

/** The recipients as Postfix finds them, each once and sorted. */
const targetsOf = ({ to }: AliasRow): string => [...new Set(to)].sort().join(", ");

/** The content of the installed text; after a failure, of the last good one. */
async function inPlace(host: Host, path: string): Promise<Lookups> {
  const text = new TextDecoder().decode(await host.files.read(path));
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(lines.map((line) => [line.slice(0, line.indexOf(" ")), line.slice(line.indexOf(" ") + 1)]));
}
