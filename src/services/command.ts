import { z } from "zod";
import type { Command, Host } from "../core/service/host-api.ts";
import { secretsOf, withoutSecrets } from "../core/service/secret.ts";
import {
  type Checked,
  type Run,
  type RunResult,
  service,
  type TableDeclaration,
  type TableService,
} from "../core/service/service.ts";
import { CommandFailed, Fatal } from "../core/util/errors.ts";
import type { Columns } from "../core/util/json.ts";
import { declared, type PerHost, readSettings, command as runs, type Schemas } from "./settings.ts";

/** The options of `command` besides the row and its `select`. */
export interface CommandSettings {
  /** The executable and its arguments. */
  readonly command: Command;
  /**
   * Prints the real content of the daemon, for `trigger diff`: a JSON array of rows, or of parts of rows with the first
   * unique column.
   */
  readonly observe?: Command;
}

const settings = z.strictObject({ command: runs, observe: runs.optional() } satisfies Schemas<CommandSettings>);

/** EX_CONFIG of sysexits(3): trying again cannot help. */
const configurationWrong = 78;

const answer = z.strictObject({
  refused: z.array(z.strictObject({ key: z.string(), why: z.string() })).default([]),
});

/**
 * A service that is an executable in any language. On its standard input it gets one JSON document and its end:
 *
 * ```text
 * { "host": "dhcp1", "interrupted": false,
 *   "rows": [["<key>", { … }], …],                                  every row, in the order of the keys
 *   "changes": [{ "key": "<key>", "before": { … } | null, "after": { … } | null }, …] | null }
 * ```
 *
 * `changes` has the differences from the last successful run, removals first. It is null if the state is unknown: then all rows count.
 * After an interrupted run, `before` may differ from the applied row. Exit 0: the rows are applied, except those that it refuses by printing
 * `{"refused": [{"key": "<key>", "why": "…"}]}`. Exit 78 (EX_CONFIG): a person must look. After any other exit code it runs again
 * later, and its output is the reason. It may run again with the same document, and then must change nothing more.
 *
 * @example
 * ```ts
 * export default command({
 *   row: z.object({ name: UserName, room: z.string() }),
 *   select: (member) => (member.is("person") ? { name: member.one("uid"), room: member.one("roomNumber") } : undefined),
 *   command: ["/usr/local/sbin/doors"],
 * });
 * ```
 */
export function command<In extends object, Row extends object, const Out extends In | readonly In[] | undefined>(
  options: TableDeclaration<In, Row, Out> & CommandSettings & PerHost<CommandSettings> & Checked<In, Row, Out>,
): { readonly table: TableService<In, Row, Out> } {
  const { row, unique, claims, secret, refused, shared, pace, daemon, select, ...given } = options;
  const settingsOf = readSettings("command", settings, given, declared);
  const declaration = { row, unique, claims, secret, refused, shared, pace, daemon, select } as TableDeclaration<
    In,
    Row,
    Out
  >;
  const hides = (secret ?? []).length > 0;
  const observes = given.observe !== undefined || Object.values(given.on ?? {}).some(({ observe }) => observe);
  return service<In, Row, Out>({
    ...declaration,
    async run(table, host) {
      return ask(settingsOf(host.name).command, table, host, secret ?? []);
    },
    ...(observes ? { observe: (host: Host) => observed(settingsOf(host.name).observe, host, hides) } : {}),
  } as Parameters<typeof service<In, Row, Out>>[0]);
}

async function ask(
  command: Command,
  { rows, changes, interrupted }: Run<object>,
  host: Host,
  secret: readonly string[],
): Promise<RunResult> {
  const input = JSON.stringify({
    host: host.name,
    interrupted,
    rows: [...rows.entries()],
    changes: changes?.map(({ key, before, after }) => ({ key, before: before ?? null, after: after ?? null })) ?? null,
  });
  let said: string;
  try {
    said = (await host.tell(command, { input })).stdout.trim();
  } catch (error) {
    if (!(error instanceof CommandFailed) || error.code !== configurationWrong) throw error;
    throw new Fatal(error.message, { cause: error });
  }
  if (!said.startsWith("{")) return undefined;
  const refused = refusedBy(command, said, secret.length > 0);
  if (secret.length === 0 || refused.length === 0) return { refused };
  const before = changes?.flatMap((change) => change.before ?? []) ?? [];
  const secrets = secretsOf([...rows, ...before] as Columns[], secret);
  return { refused: refused.map(({ key, why }) => ({ key, why: withoutSecrets(why, secrets) })) };
}

/** The refused rows that the program printed. If the output may hold secrets, an error shows neither the output nor its fault. */
function refusedBy([program]: Command, said: string, hides: boolean) {
  try {
    return answer.parse(JSON.parse(said)).refused;
  } catch (cause) {
    const expected = '{"refused": [{"key": "…", "why": "…"}]}';
    const wrong = `${program} exited 0, but what it printed is not ${expected}`;
    throw hides ? new Error(`${wrong}${notShown}`) : new Error(`${wrong}: ${said.slice(0, 200)}`, { cause });
  }
}

const notShown = " (it may hold secrets and is not shown)";

async function observed(command: Command | undefined, host: Host, hides: boolean) {
  if (!command) throw new Error(`no command to observe on ${host.name} (option observe)`);
  const { stdout } = await host.ask(command);
  const read = z.array(z.record(z.string(), z.json())).safeParse(parsed(stdout));
  if (read.success) return read.data as object[];
  throw new Error(`${command[0]} printed no JSON array of rows${hides ? notShown : `: ${stdout.slice(0, 200)}`}`);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // the caller expects an array
  }
}
