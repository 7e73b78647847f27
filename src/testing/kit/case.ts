import type { StoredEntry } from "../../core/directory/entry.ts";
import type { Table } from "../../core/service/service.ts";
import type { CellChange } from "../../core/stream/cells.ts";
import type { MemoryMachine } from "../memory-machine.ts";
import { type Random, seeded } from "../random.ts";
import { seeing } from "./guard.ts";
import type { Crash, Told } from "./life.ts";
import { type Cells, cellsOf, goodRows } from "./samples.ts";
import { type State, type StateOptions, stateOf } from "./state.ts";
import { type Delivery, openWorld, type Waiting } from "./world.ts";

/** A service with a table, and the samples and settings of its examination. */
export interface Case {
  /** The name of the service. */
  readonly name: string;
  readonly host: string;
  readonly table: Table;
  readonly entries: readonly StoredEntry[];
  readonly timezone: string;
  readonly seed: number;
  /** The time at which every story begins, in milliseconds since 1970. */
  readonly now: number;
  /** The number of histories that are generated, and of moments at which a process is killed, at most. */
  readonly histories: number;
  readonly crashes: number;
  /** True if the service has secret columns, so that no value may be shown. */
  readonly secret: boolean;
  /** The blocked calls of the service, such as `fs.readFileSync`. */
  readonly escapes: Set<string>;
  machine(): TestMachine;
  readonly meaning: StateOptions["meaning"];
}

/** A machine in memory and the daemons on it. */
export interface TestMachine extends MemoryMachine {
  /** The content of daemons, as texts by a name: part of the state that is compared. */
  daemons?(): Readonly<Record<string, string>>;
  /** Restarts the daemons: they lose the content that they hold in memory alone. */
  loseDaemons?(): void;
}

/** One change of the rows, and the way in which it reaches the host. */
export interface Moment {
  /** A description for people. */
  readonly said: string;
  readonly changes: readonly CellChange[];
  readonly delivery?: Delivery;
  /** True: the process restarts after the change. */
  readonly restart?: boolean;
  /** True: the daemons restart too, and lose their content in memory. */
  readonly daemonsToo?: boolean;
  /** True: the next change comes before the host has come to rest. */
  readonly hurried?: boolean;
}

/** The end of a story: the state of the machine, or the reason why the host never came to rest. */
export interface Ending {
  readonly state: State;
  /** The state after each moment at which the host came to rest. */
  readonly states: readonly State[];
  readonly trouble: string | undefined;
  /** The rows that are applied at the end. */
  readonly applied: readonly CellChange[];
  /** The rows that wait, each with the reason. */
  readonly waiting: readonly Waiting[];
  /** The steps of the first life of the process. */
  readonly steps: readonly string[];
  /** The commands of the last life. */
  readonly told: readonly Told[];
}

/** The random numbers of one part of an examination. They do not depend on the other parts. */
export const chanceOf = ({ seed }: Case, part: string): Random =>
  seeded([...part].reduce((sum, letter) => (Math.imul(sum, 31) + letter.charCodeAt(0)) | 0, seed));

/** The rows of the entries of a case, or of others; `clock` is the time that `Date` gives to the service. */
export function rowsFor(on: Case, entries = on.entries, { clock = on.now } = {}): Cells {
  const { name, table, timezone, seed } = on;
  const seen = seeing(table, { now: () => clock, random: seeded(seed).unit, escaped: (call) => on.escapes.add(call) });
  return cellsOf(name, seen, entries, { timezone, now: on.now });
}

/** The rows of cells that are no refusals. */
export const good = (cells: Cells): Cells => new Map(goodRows(cells));

/** The time between the end of a process and its next start, in milliseconds. */
const pause = 60 * 60_000;

export interface PlayOptions {
  readonly crash?: Crash | undefined;
  /** True: the crash is a power cut. */
  readonly powerCut?: boolean;
  readonly start?: number;
  readonly machine?: TestMachine;
}

/** Plays a story on a host of its own. The first moment comes before its first run. */
export async function play(on: Case, moments: readonly Moment[], options: PlayOptions = {}): Promise<Ending> {
  const { crash, powerCut = false, start = on.now } = options;
  const machine = options.machine ?? on.machine();
  const chance = chanceOf(on, "play");
  let now = (): number => start;
  const table = seeing(on.table, { now: () => now(), random: chance.unit, escaped: (call) => on.escapes.add(call) });
  const world = openWorld({ name: on.name, host: on.host, service: { table }, machine, start });
  now = world.now;
  let trouble: string | undefined;
  const restart = async (cut: boolean): Promise<void> => {
    await world.kill(cut ? chance.unit : undefined);
    await world.pass(pause);
    await world.up();
  };
  const rest = async (): Promise<void> => {
    trouble = await world.rest();
    if (!world.dead) return;
    await restart(powerCut);
    trouble = await world.rest();
  };
  const look = (): Promise<State> =>
    stateOf(machine, { daemons: machine.daemons?.(), folders: world.folders, meaning: on.meaning });
  const states: State[] = [];
  let up = false;
  let steps: readonly string[] = [];
  for (const { changes, delivery, restart: again, daemonsToo, hurried } of moments) {
    await world.say(changes, delivery);
    if (!up) await world.up(crash);
    if (!up) steps = world.steps;
    up = true;
    if (daemonsToo) machine.loseDaemons?.();
    if (again) await restart(false);
    if (!hurried) await rest();
    states.push(await look());
    if (trouble !== undefined) break;
  }
  if (trouble === undefined) await rest();
  const ending = { trouble, steps, told: world.told, applied: world.applied(), waiting: world.waiting() };
  await world.end();
  return { ...ending, states, state: await look() };
}

/** A full run on these rows, on an empty machine. */
export const fresh = (on: Case, rows: Iterable<CellChange>, options: PlayOptions = {}): Promise<Ending> =>
  play(on, [{ said: "all rows", changes: [...rows] }], options);

const known = new WeakMap<Case, Map<string, Promise<Ending>>>();

/** Does the same, but plays equal rows only once. */
export function freshOnce(on: Case, rows: readonly CellChange[]): Promise<Ending> {
  const played = known.get(on) ?? new Map<string, Promise<Ending>>();
  known.set(on, played);
  const key = JSON.stringify(rows);
  const ending = played.get(key) ?? fresh(on, rows);
  played.set(key, ending);
  return ending;
}
