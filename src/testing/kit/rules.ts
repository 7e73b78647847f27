import { masked } from "../../core/service/secret.ts";
import { type CellChange, isRefused, refusalOf } from "../../core/stream/cells.ts";
import { type Case, chanceOf, type Ending, fresh, freshOnce, good, type Moment, play, rowsFor } from "./case.ts";
import { histories } from "./histories.ts";
import type { Crash, Told } from "./life.ts";
import { changesBetween, valuesOf } from "./samples.ts";
import { differences } from "./state.ts";
import type { Delivery } from "./world.ts";

/** A rule that a service keeps: returns lines that show how it is broken, or undefined. */
export type Rule = (on: Case) => Promise<readonly string[] | undefined>;

const day = 24 * 60 * 60_000;

/** The service runs at all: on the rows of its samples, on an empty machine. */
export const runs: Rule = async (on) => {
  const rows = rowsFor(on);
  if (good(rows).size === 0) {
    const refused = [...rows.values()].filter(isRefused).map((cell) => `refused: ${refusalOf(cell)}`);
    if (on.escapes.size > 0) return escaped(on);
    return ["no sample entry gives a row", ...refused.slice(0, 5)];
  }
  const ending = await fresh(on, good(rows));
  const { trouble, waiting } = ending;
  if (trouble !== undefined && on.escapes.size > 0) return escaped(on);
  if (trouble !== undefined) return [`a first run on ${good(rows).size} rows: ${trouble}`];
  if (on.escapes.size > 0) return escaped(on);
  if (waiting.length > 0)
    return ["its own sample rows are refused on the host:", ...waiting.slice(0, 5).map(({ why }) => why)];
  return isTheSame(ending, await freshOnce(on, []))
    ? [`a first run on ${good(rows).size} rows does no more than one on no rows: no file, daemon or command has them`]
    : undefined;
};

/** True if two runs leave the same machine, and ran the same commands. */
const isTheSame = (one: Ending, other: Ending): boolean =>
  differences(one.state, other.state, { exact: true }).length === 0 &&
  JSON.stringify(one.told.map(wordsOf)) === JSON.stringify(other.told.map(wordsOf));

const escaped = ({ escapes }: Case): string[] => [
  `it calls ${[...escapes].join(", ")}: a service reads its entries, and changes a machine through \`host\` alone`,
];

/** Equal input gives equal rows and an equal machine, at another time and with the entries in another order. */
export const deterministic: Rule = async (on) => {
  const once = rowsFor(on);
  const others: [said: string, rows: ReturnType<typeof rowsFor>][] = [
    ["computed a second time", rowsFor(on)],
    ["with the entries in another order", rowsFor(on, [...on.entries].reverse())],
    [
      "with another clock and other random numbers",
      rowsFor({ ...on, seed: on.seed + 1 }, on.entries, { clock: on.now + day }),
    ],
  ];
  for (const [said, other] of others) {
    const [moved] = changesBetween(once, other);
    if (!moved) continue;
    const [key] = moved;
    return [
      `select, ${said}, gives another row of ${key}:`,
      `- ${shown(on, once.get(key))}`,
      `+ ${shown(on, other.get(key))}`,
    ];
  }
  const first = await fresh(on, good(once));
  const second = await fresh({ ...on, seed: on.seed + 1 }, good(once), { start: on.now + day });
  return differing("a run on the same rows a day later, with other random numbers:", first, second, on);
};

/** A full run on rows that are applied already changes nothing. */
export const idempotent: Rule = async (on) => {
  const rows: Moment = { said: "all rows", changes: [...good(rowsFor(on))] };
  const again: Moment = { said: "a full run", changes: [], restart: true };
  const { states, trouble } = await play(on, [rows, again, again]);
  if (trouble !== undefined) return ["after full runs on the same rows:", `the run fails: ${trouble}`];
  for (const [index, state] of states.entries()) {
    const found = differences(states[0] ?? state, state, { exact: true, secret: on.secret });
    if (found.length > 0) return [`full run ${index} on the same rows, an hour later:`, ...found];
  }
  return undefined;
};

/** A full run does not assume that a daemon still holds the rows of an earlier run. */
export const mendsAnUnknownState: Rule = async (on) => {
  const rows: Moment = { said: "all rows", changes: [...good(rowsFor(on))] };
  const unknown: Moment = {
    said: "daemons lose their content: a full run",
    changes: [],
    restart: true,
    daemonsToo: true,
  };
  const first = await freshOnce(on, rows.changes);
  const again = await play(on, [rows, unknown]);
  const found = differing("a full run after daemons have lost their content:", first, again, on);
  if (found || Object.keys(on.machine().daemons?.() ?? {}).length > 0) return found;
  const contents = [...valuesOf(good(rowsFor(on)))].filter((value) => value.length > 2);
  // A service that asks its daemon sees the present content.
  if (again.told.some((one) => !one.changes && !isOfInstall(wordsOf(one)))) return undefined;
  const told = new Set(again.told.map(wordsOf));
  const missing = first.told.find((one) => {
    const words = wordsOf(one);
    return one.changes && !isOfInstall(words) && !told.has(words) && contents.some((value) => words.includes(value));
  });
  return (
    missing && [
      "a full run with an unknown state of the daemon does not repeat:",
      on.secret ? "a command" : wordsOf(missing),
    ]
  );
};

const isOfInstall = (words: string): boolean => /\.trigger|\/(scratch|kept)/.test(words);

const wordsOf = ({ asked, input }: Told): string => JSON.stringify([asked, input ?? ""]);

/** The machine depends on the present rows alone, not on earlier duplicates, losses, renames or restarts. */
export const independentOfOrder: Rule = async (on) => {
  for (const moments of histories(on, "order", on.histories)) {
    const found = await againstFresh(on, moments);
    if (found) return found;
  }
  return undefined;
};

/** A removed row leaves nothing on the machine, and its removal removes nothing else. */
export const safeOnDeletion: Rule = async (on) => {
  const rows = good(rowsFor(on));
  for (const [key, cell] of rows) {
    const moments: Moment[] = [
      { said: allRows(rows.size), changes: [...rows] },
      { said: `the row ${shown(on, cell)} is removed`, changes: [[key, null]] },
    ];
    const found = await againstFresh(on, moments);
    if (found) return found;
  }
  return undefined;
};

/** A table may be empty from the beginning, and a removed last row leaves nothing on the machine. */
export const safeOnAnEmptyTable: Rule = async (on) => {
  const rows = [...good(rowsFor(on))];
  const { trouble } = await freshOnce(on, []);
  if (trouble !== undefined) return [`a first run on no rows: ${trouble}`];
  const gone: Moment = { said: "every row is removed", changes: rows.map(([key]) => [key, null] as CellChange) };
  const moments: Moment[] = [{ said: allRows(rows.length), changes: rows }, gone];
  return (
    (await againstFresh(on, moments)) ??
    againstFresh(on, [...moments, { said: "a restart", changes: [], restart: true }])
  );
};

/** A process that is killed at any step, or loses its power there, continues to the same end. */
export const convergesAfterACrash: Rule = async (on) => {
  const [story = []] = histories(on, "crash", 1);
  const { steps } = await play(on, story);
  const chance = chanceOf(on, "crashes");
  const points: Crash[] = steps.flatMap((name, index) => [
    { step: index + 1, half: false },
    ...(name.startsWith("write ") ? [{ step: index + 1, half: true }] : []),
  ]);
  while (points.length > on.crashes) points.splice(chance.below(points.length), 1);
  for (const crash of points) {
    for (const powerCut of [false, true]) {
      const how = powerCut ? "a power cut" : "the process is killed";
      const at = `${crash.half ? "in the middle of" : "after"} \`${steps[crash.step - 1]}\``;
      const found = await againstFresh(on, story, { crash, powerCut });
      if (found) return [`${how} ${at} (step ${crash.step} of ${steps.length})`, ...found];
    }
  }
  return undefined;
};

/** The beginning of a history. */
const allRows = (count: number): string => `at first: ${count === 1 ? "1 row" : `all ${count} rows`}`;

/** A row for people, its secret columns masked. */
const shown = ({ table }: Case, cell: string | undefined): string =>
  cell === undefined
    ? "no row"
    : isRefused(cell)
      ? `refused: ${refusalOf(cell)}`
      : JSON.stringify(masked(JSON.parse(cell), table.secret));

/** The ways of a message to the host, for people. */
const deliveries: Readonly<Record<Delivery, readonly string[]>> = {
  once: [],
  twice: ["the message comes twice"],
  lost: ["the message is lost"],
};

/** Compares the end of a story with a first run on the rows that are applied at its end. */
async function againstFresh(
  on: Case,
  moments: readonly Moment[],
  options: { readonly crash?: Crash; readonly powerCut?: boolean } = {},
): Promise<readonly string[] | undefined> {
  const ending = await play(on, moments, options);
  const story = moments.map(({ said, delivery, restart }) => {
    const manner = [...(delivery ? deliveries[delivery] : []), ...(restart ? ["then a restart"] : [])];
    return manner.length > 0 ? `${said} (${manner.join(", ")})` : said;
  });
  if (ending.trouble !== undefined) return [...story, `at the end the host does not come to rest: ${ending.trouble}`];
  const found = differing(
    "the end is not that of a first run on the same rows:",
    await freshOnce(on, ending.applied),
    ending,
    on,
  );
  return found && [...story, ...found];
}

function differing(said: string, expected: Ending, found: Ending, { secret }: Case): readonly string[] | undefined {
  for (const { trouble } of [expected, found]) if (trouble !== undefined) return [said, `the run fails: ${trouble}`];
  const applied = new Map([...expected.applied, ...found.applied].map(([key, cell]) => [key, cell ?? ""]));
  const lines = differences(expected.state, found.state, { secret, values: valuesOf(good(applied)) });
  return lines.length > 0 ? [said, ...lines] : undefined;
}
