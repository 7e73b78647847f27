import type { EvaluationLimits } from "../../core/config/evaluation.ts";
import { entryKey, refusedCell, undecided } from "../../core/stream/cells.ts";
import { unfinishedLine } from "../../core/stream/unfinished-line.ts";
import type { SlicedWork } from "../../core/util/slices.ts";
import type { Mirror } from "../mirror/mirror.ts";
import { type ComputedTable, nothing } from "./computed-table.ts";
import type { Evaluation, OpenEvaluation } from "./evaluate.ts";
import type { Watch } from "./interrupt.ts";
import type { UnfinishedEntries } from "./unfinished.ts";

/** The evaluation of one entry for one table. */
export interface Task {
  readonly table: ComputedTable;
  readonly uuid: string;
  /** The keys of the table that may have changed. */
  readonly touched: Set<string>;
  readonly done: number;
  readonly of: number;
}

export interface EvaluatorOptions {
  readonly mirror: Mirror;
  readonly limits: Required<EvaluationLimits>;
  readonly unfinished: UnfinishedEntries;
  readonly watch: Watch;
  log(line: string): void;
}

/** The most tasks, steps and milliseconds between two pauses. */
const most = { tasks: 100, steps: 1_000, milliseconds: 5 };
/** The most entries of a service at once that are logged one by one. */
const mostLogged = 10;
/** The most evaluations of one entry that are repeated because the process stood still meanwhile. */
const mostRepeated = 3;

/** The evaluation of one task, possibly with pauses. */
interface Open {
  readonly place: number;
  /** Undefined if there is no such entry. */
  readonly evaluation: OpenEvaluation | undefined;
  /** The time that it took before the last pause, in milliseconds. */
  took: number;
  /** The time of the watch at its beginning, or after the last pause. */
  from: number;
}

interface Result {
  readonly evaluation: Evaluation;
  /** The time that it took, in milliseconds. */
  readonly took: number;
  /** True if it was interrupted. */
  readonly isOpen?: boolean;
}

/** Some tasks with their results. An interruption at any place leaves it consistent: each step of it is one assignment. */
interface Batch {
  readonly tasks: readonly Task[];
  /** The results of the first tasks, in their order. */
  readonly results: Result[];
  open: Open | undefined;
  repeated: number;
}

/**
 * Evaluates entries under a time limit. One that does not end is interrupted: its cell says that nothing is decided, so
 * hosts leave its rows as they are. Other work may run between two steps.
 */
export class Evaluator {
  readonly #options: EvaluatorOptions;

  constructor(options: EvaluatorOptions) {
    this.#options = options;
  }

  /** Carries out the tasks. `time` is that of the tables, milliseconds since 1970. */
  *run(tasks: Iterable<Task>, time: number): SlicedWork<void> {
    const all = tasks[Symbol.iterator]();
    for (let some = first(all); some.length > 0; some = first(all)) {
      const batch: Batch = { tasks: some, results: [], open: undefined, repeated: 0 };
      let taken = 0;
      for (let task = some[0]; task; task = some[taken]) {
        this.#evaluate(batch, time);
        for (; taken < batch.results.length; taken++) this.#take(batch, taken);
        const needed = batch.open?.evaluation?.needed;
        if (needed) {
          yield* needed();
          batch.open = undefined; // it is repeated
        }
        yield { what: `evaluating ${task.table.name}`, done: task.done, of: task.of };
      }
    }
  }

  /** Evaluates until the next pause, until an answer must be prepared, or until the time of an entry is over. */
  #evaluate(batch: Batch, time: number): void {
    const { watch, unfinished } = this.#options;
    const before = { now: watch.now(), cpu: watch.cpu(), place: batch.results.length };
    const limitOf = ({ table, uuid }: Task) => unfinished.limitOf(table.name, uuid, time, before.now);
    const task = batch.tasks[before.place];
    if (!task) return;
    const left = limitOf(task) - (batch.open?.took ?? 0);
    const hasEnded = watch.run(() => this.#steps(batch), left + most.milliseconds);
    const present = batch.tasks[batch.results.length];
    const { open } = batch;
    if (!present || open?.place !== batch.results.length) return;
    const now = watch.now();
    const elapsed = now - open.from;
    const used = Math.min(elapsed, watch.cpu() - before.cpu);
    open.took += used;
    if (open.evaluation?.needed || (hasEnded && open.took < limitOf(present))) return;
    batch.open = undefined;
    // The process itself stood still: that says nothing about `select`.
    if (!hasEnded && used < elapsed / 2 && batch.repeated++ < mostRepeated) return;
    const over = open.evaluation?.over();
    batch.results.push(over ? { evaluation: over, took: open.took } : this.#undecided(present, open, { time, now }));
  }

  #undecided({ table, uuid }: Task, { evaluation, took }: Open, { time, now }: { time: number; now: number }): Result {
    const { mirror, unfinished, log } = this.#options;
    const dn = mirror.get(uuid)?.dn ?? uuid;
    const { retryAt, isNew } = unfinished.interrupted(table.name, { uuid, dn }, { time, now, took });
    if (isNew) {
      const count = unfinished.count(table.name);
      if (count <= mostLogged) log(unfinishedLine(table.name, dn));
      else if (count === mostLogged + 1) log(`${table.name}: and more such entries: \`trigger status\` counts them`);
    }
    const refusals = new Map([[entryKey(uuid), refusedCell(why, [undecided])]]);
    const reads = new Set(evaluation?.reads);
    return {
      evaluation: { rows: new Map(), refusals, blessed: false, reads, timed: true, next: retryAt },
      took,
      isOpen: true,
    };
  }

  /** The part that may be interrupted at any place: it changes nothing but the batch. */
  #steps(batch: Batch): void {
    const { watch, limits, unfinished } = this.#options;
    const { tasks, results } = batch;
    const [begun, beginning] = [results.length, watch.now()];
    if (batch.open) batch.open.from = beginning;
    for (let steps = 0, now = beginning; steps < most.steps && now - beginning < most.milliseconds; steps++) {
      const place = results.length;
      const task = tasks[place];
      // An entry that did not end before has a limit of its own.
      if (!task || (place > begun && unfinished.has(task.table.name, task.uuid))) return;
      if (batch.open?.place !== place) {
        batch.open = { place, evaluation: task.table.evaluate(task.uuid, limits), took: 0, from: now };
      }
      const { evaluation, took, from } = batch.open;
      const step = evaluation?.steps.next();
      now = watch.now();
      if (evaluation?.needed) return;
      if (!step || step.done) results.push({ evaluation: step?.value ?? nothing, took: took + now - from });
    }
  }

  #take({ tasks, results }: Batch, place: number): void {
    const { unfinished, log } = this.#options;
    const [task, result] = [tasks[place], results[place]];
    if (!task || !result) return;
    const { table, uuid, touched } = task;
    table.take(uuid, result.evaluation, touched);
    if (result.isOpen) return;
    const before = unfinished.ended(table.name, uuid, result.took);
    if (before && unfinished.count(table.name) < mostLogged) log(`${table.name}: select ends again for ${before.dn}`);
  }
}

/** The next tasks, up to a batch. */
function first(tasks: Iterator<Task>): Task[] {
  const some: Task[] = [];
  while (some.length < most.tasks) {
    const task = tasks.next();
    if (task.done) break;
    some.push(task.value);
  }
  return some;
}

/** The reason in the cell of such an entry: the same on every machine. */
const why = "select does not end in time, so nothing is decided and the rows of the entry stay as they are";
