import type { Service, Table } from "../../core/service/service.ts";
import type { WaveMessage } from "../../core/stream/messages.ts";
import { TextRefused } from "../../core/util/errors.ts";
import type { ServiceStore } from "../store/service-store.ts";
import { handleNext } from "./handle-message.ts";
import type { RunContext } from "./run-context.ts";
import { runTable } from "./run-table.ts";
import { type SecondChance, secondChance } from "./second-chance.ts";
import { type WaveGate, waveGate } from "./wave.ts";
import { type WhileHeld, whileHeld } from "./while-held.ts";
import { type Worker, worker } from "./worker.ts";

/** The pace of a table service without one of its own, in milliseconds. */
const defaultPace = 1000;

export interface ServiceLoopInputs {
  readonly service: Service;
  /** The context of each of its runs. */
  readonly context: RunContext;
  /** The longest wait for hosts of earlier waves, in milliseconds; undefined if this host waits for none. */
  readonly waveWithin: number | undefined;
  /** Resolves when the rows can be read: the first run waits for it. */
  readonly ready: Promise<void>;
  /** Called when a run has succeeded. */
  ran(): void;
  /** Called when the report of the service has changed. */
  onReportChanged(): void;
}

/** The runs of one service: what is pending, when a run is due, and the run itself. It does not use the broker. */
export class ServiceLoop {
  readonly #inputs: ServiceLoopInputs;
  readonly #table: Table | undefined;
  readonly #waves: WaveGate | undefined;
  readonly #held: WhileHeld | undefined;
  readonly #chance: SecondChance | undefined;
  readonly #worker: Worker;
  #running = false;
  #runs = 0;

  constructor(inputs: ServiceLoopInputs) {
    const { service, context, waveWithin: within, ready, onReportChanged } = inputs;
    const { clock, signal, log } = context;
    const table = "table" in service ? service.table : undefined;
    const poke = (): void => this.poke();
    this.#inputs = inputs;
    this.#table = table;
    if (table) {
      if (within !== undefined) this.#waves = waveGate({ ...context, within, onReportChanged, poke });
      this.#held = whileHeld(table, context, { busy: () => this.#running, poke });
      this.#chance = secondChance({ ...context, table, poke });
    }
    const pace = table ? (table.pace ?? defaultPace) : 0;
    const work = {
      ...{ pace, onReportChanged, log },
      rest: () => context.store.starts.rest(clock.now()),
      isDue: () => this.#isDue(),
      run: () => this.#run(),
    };
    this.#worker = worker(work, ready.then(this.#held?.look), clock, signal);
  }

  /** Resolves when the first run, if one was due, has ended, with or without success. */
  get started(): Promise<void> {
    return this.#worker.started;
  }

  /** Resolves after the signal and the last run; rejects if the store turns out to be damaged. */
  get ended(): Promise<void> {
    return this.#worker.ended;
  }

  /** True while a run is under way. */
  get busy(): boolean {
    return this.#running;
  }

  /** The number of runs that have begun. */
  get runs(): number {
    return this.#runs;
  }

  /** Checks if a run is due now; with `again`, the run waits for no backoff. */
  poke(options?: { again?: boolean }): void {
    this.#worker.poke(options);
  }

  /** Runs a table service on all rows, even if nothing is pending. */
  runAgain(): void {
    if (this.#table) this.#store.orderFullRun();
    this.poke();
  }

  /**
   * Orders a full run if the daemon was restarted since the last one. For a held service, checks if it is still held.
   */
  async lookAtDaemon(): Promise<void> {
    if (!this.#table) return;
    const { machine, log } = this.#inputs.context;
    const before = this.#store.facts;
    if (before?.held !== undefined) return this.#held?.look();
    const now = await machine.incarnation(this.#table.daemon);
    if (before?.ranAt === undefined || before.incarnation === now || before.full > 0) return;
    log("its daemon, or the machine, was restarted: one full run");
    this.#store.orderFullRun();
    this.poke();
  }

  /** Takes in the progress of hosts of earlier waves. */
  hearWave(message: WaveMessage): void {
    this.#waves?.hear(message);
  }

  /** Ends the wait for earlier waves, for all changes received by now. */
  endWait(): void {
    const mark = this.#store.facts?.followed.mark;
    if (mark) this.#waves?.approve(mark);
  }

  #isDue(): boolean {
    try {
      return this.#table ? this.#isTableDue() : !this.#isHeld() && this.#store.messages.next() !== undefined;
    } catch (error) {
      return this.#store.rethrow(error);
    }
  }

  #isTableDue(): boolean {
    const facts = this.#store.readFacts();
    if (facts?.held !== undefined) return this.#held?.isDue() ?? false;
    if (!facts || facts.fatal !== undefined) return false;
    // A table that was never complete is not run on: the run would remove rows that have not arrived yet.
    if (!facts.followed.equal) return false;
    if (facts.full > 0) return true;
    if (!this.#store.seen.isPending()) this.#waves?.rest();
    else if (!this.#waves || !facts.followed.mark || this.#waves.isOpen(facts.followed.mark)) return true;
    // A row of an earlier run may be in the daemon already: it waits for no other host.
    return this.#store.seen.isPending("inDoubt");
  }

  async #run(): Promise<void> {
    this.#runs += 1;
    this.#running = true;
    let refused = false;
    try {
      await this.#runOnce();
    } catch (error) {
      refused = error instanceof TextRefused;
      this.#store.rethrow(error);
    } finally {
      this.#running = false;
      this.#chance?.ended(refused);
    }
    this.#waves?.rest();
    this.#inputs.ran();
  }

  async #runOnce(): Promise<void> {
    const { service, context } = this.#inputs;
    if (this.#isHeld()) await this.#held?.run();
    else if ("table" in service) await runTable(service.table, context);
    else await handleNext(service.plain, context);
  }

  get #store(): ServiceStore {
    return this.#inputs.context.store;
  }

  #isHeld(): boolean {
    return this.#store.facts?.held !== undefined;
  }
}
