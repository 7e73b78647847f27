import { z } from "zod";
import { column, Mail } from "../core/columns.ts";
import type { Host, InstallSteps } from "../core/host.ts";
import { CommandFailed } from "../core/outcome.ts";
import { type Change, type Select, service } from "../core/service.ts";
import { notice, type Options, path, readSettings, step, stepsOf } from "./settings.ts";

const alone = /^[A-Za-z0-9_]([A-Za-z0-9._+=-]{0,62}[A-Za-z0-9_])?$/;
const address = (text: string): string | undefined =>
  text.includes("@") ? Mail.safeParse(text).data : alone.test(text) ? text : undefined;

/** A name of the virtual map, in lower case as Postfix looks it up. A whole domain (`@campus.example`) is none: one entry could take everybody's mail. */
const Alias = column("an alias (a mail address, or a name alone)", (text) => address(text)?.toLowerCase());
const Recipient = column("a recipient (a mail address, or a local user)", address);

/** An alias with the addresses that its mail goes to. */
export const aliasRow = z.object({
  alias: Alias,
  to: z.array(Recipient).min(1, "is empty: an alias needs a recipient"),
});
type AliasRow = z.output<typeof aliasRow>;

const settings = z.strictObject({
  /** The text of the map; Postfix reads what postmap makes of it: `virtual_alias_maps = cdb:/etc/postfix/trigger-virtual`. */
  path: path.default("/etc/postfix/trigger-virtual"),
  /** Two types of map that are never seen half written: cdb is made aside and renamed, lmdb is one transaction. */
  type: z.enum(["cdb", "lmdb"], "is not a type of map: expected cdb or lmdb").default("cdb"),
  check: step.default(false),
  /** Makes the map of the text; `postmap TYPE:PATH` when left out. */
  reload: step.optional(),
  /** Looks every alias up in the map when left out. */
  probe: step.optional(),
});
type Settings = z.output<typeof settings>;

/**
 * A virtual alias map of Postfix (virtual(5)). Postfix sees a new map by itself: nothing is restarted.
 *
 * @example
 * export default postfixAliases({ type: "lmdb" });
 */
export function postfixAliases(options: Options<typeof settings, z.input<typeof aliasRow>> = {}) {
  const { select = aliases, ...given } = options;
  const settingsOf = readSettings("postfixAliases", settings, given);
  return service({
    row: aliasRow,
    unique: ["alias"],
    select,
    async run({ rows, changes = [] }, host) {
      const settings = settingsOf(host.name);
      await host.install({ path: settings.path, text: aliasMap(rows) }, steps(settings, changes));
    },
  });
}

/** The text of the map, in the order of the rows; recipients are sorted. */
export function aliasMap(rows: Iterable<AliasRow>): string {
  let text = `# ${notice}\n`;
  for (const { alias, to } of rows) text += `${alias} ${[...new Set(to)].sort().join(", ")}\n`;
  return text;
}

function steps({ path, type, check, reload, probe }: Settings, changes: readonly Change<AliasRow>[]): InstallSteps {
  const map = `${type}:${path}`;
  const formerly = changes.flatMap(({ before }) => (before ? [before.alias] : []));
  return stepsOf({
    check,
    reload: reload ?? ["postmap", map],
    probe: probe ?? ((host) => provesMap(host, path, map, formerly)),
  });
}

/** Looks up in the map every alias of the text in place, and those that it had and has no more. */
async function provesMap(host: Host, path: string, map: string, formerly: readonly string[]): Promise<void> {
  const text = new TextDecoder().decode(await host.files.read(path));
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  const expected = new Map(lines.map((line) => [line.slice(0, line.indexOf(" ")), line.slice(line.indexOf(" ") + 1)]));
  const asked = new Set([...expected.keys(), ...formerly]);
  const found = new Map(await lookUp(host, map, asked));
  for (const alias of asked) {
    const [wanted = "nothing", seen = "nothing"] = [expected.get(alias), found.get(alias)];
    if (wanted !== seen) throw new Error(`${map} has ${seen} for ${alias}, and ${path} has ${wanted}`);
  }
}

async function lookUp(host: Host, map: string, aliases: Iterable<string>): Promise<[alias: string, to: string][]> {
  const input = [...aliases].map((alias) => `${alias}\n`).join("");
  if (input === "") return [];
  try {
    const { stdout } = await host.ask(["postmap", "-q", "-", map], { input });
    const lines = stdout.split("\n").filter((line) => line !== "");
    return lines.map((line) => [line.slice(0, line.indexOf("\t")), line.slice(line.indexOf("\t") + 1)]);
  } catch (error) {
    if (error instanceof CommandFailed && error.code === 1) return []; // none of them is in the map
    throw error;
  }
}

/** The aliases of nisMailAlias (each of its names), and the mail addresses of people who have an account, which go to it. */
const aliases: Select<z.input<typeof aliasRow>> = (entry) => {
  if (entry.is("nisMailAlias")) {
    if (!entry.has("rfc822MailMember")) return;
    return entry.all("cn").map((alias) => ({ alias, to: entry.all("rfc822MailMember") }));
  }
  if (!entry.is("inetOrgPerson") || !entry.is("posixAccount")) return;
  return entry.all("mail").map((alias) => ({ alias, to: [entry.one("uid")] }));
};
