import type { Service, Table } from "../core/service/service.ts";
import type { OrderMessage, WaveMessage } from "../core/stream/messages.ts";
import { leftToRepair } from "../core/stream/reader.ts";
import { queueOf } from "../core/stream/routing.ts";
import { reason, TextRefused } from "../core/util/errors.ts";
import { inSlices } from "../core/util/slices.ts";
import type { Broker, Queue } from "../ports/broker.ts";
import { judge, Unusable } from "../sqlite/sound.ts";
import { believeRemovals, noteQuestion, sayOpen } from "./blast-radius.ts";
import type { daemonComparer } from "./compare-daemon.ts";
import { openBook } from "./install/book.ts";
import { restOfService } from "./install/start-limit.ts";
import { type Intake, openIntake } from "./intake.ts";
import { storedMessages } from "./messages.ts";
import type { HostOptions } from "./options.ts";
import { orders } from "./orders.ts";
import { questions } from "./questions.ts";
import { ask, type Received, receiver, reportKey, type ServiceStore } from "./receive.ts";
import { sayLeft, serviceReport } from "./report.ts";
import { storedRows } from "./rows.ts";
import { handleNext, type RunContext, runTable } from "./run.ts";
import { secondChance } from "./second-chance.ts";
import { owedRows, oweFullRun, readFacts, writeFacts } from "./store.ts";
import { verification } from "./verification.ts";
import { waveGate } from "./wave.ts";
import { whileHeld } from "./while-held.ts";
import { worker } from "./worker.ts";

/** The pace of a table service that names none, in milliseconds. */
const defaultPace = 1000;
/** After a store that failed (a full disk) the deliveries in hand are tried again, in milliseconds. */
const storeRetry = 1000;
/** A long repair says how far it is so often, in milliseconds. */
const sayEvery = 5000;

/** One service on its host: its part of the store, its worker and its queue. */
export interface HostedService {
  readonly queue: Queue;
  /** The run at the start has ended, well or not. */
  readonly started: Promise<void>;
  /** Rejects when the store turns out to be damaged. */
  readonly ended: Promise<void>;
  /** Takes what the queue brings, and asks how the table compares; throws when the broker cannot be reached. */
  listen(broker: Broker): Promise<void>;
  /** A daemon that was restarted since its last run is owed a full one. */
  lookAtDaemon(): Promise<void>;
  /** Has it run on all rows, whether or not anything is owed. */
  runAgain(): void;
  close(): Promise<void>;
}

/** What the services of a host have in common. */
export interface HostParts {
  /** The report is another one. */
  changed(): void;
  readonly compareInTurn: ReturnType<typeof daemonComparer>;
}

export function hostService(name: string, service: Service, options: HostOptions, parts: HostParts): HostedService {
  const { database, clock, signal, compareDaemon } = options;
  const { changed, compareInTurn } = parts;
  const machine = options.machineOf(name);
  const log = (line: string): void => options.log(`${name}: ${line}`);
  const table = "table" in service ? service.table : undefined;
  const rows = table ? storedRows(database, name, table, options.hashing) : undefined;
  const messages = storedMessages(database, name);
  const store: ServiceStore = { database, name, service, rows, messages };
  const { removalLimit, mayEmpty } = options;
  const began = clock.now() - clock.monotonic();
  const steady = (): number => Math.round(began + clock.monotonic());
  const context: RunContext = {
    ...{ host: options.name, service: name, database, machine, clock, signal, log },
    safeguards: options.safeguards,
    ...(removalLimit && {
      removals: { limit: (rows) => removalLimit(name, rows), mayEmpty: mayEmpty?.(name) ?? false, now: steady },
    }),
  };

  const poke = (): void => work.poke();
  const within = options.waveWithin?.(name);
  const gate =
    within === undefined || !table
      ? undefined
      : waveGate({ ...{ database, service: name, within, clock, signal }, changed, poke });

  const code = options.codes.get(name) ?? "";
  // A text that other code gave up is another code's matter: its file may be the same, and its reload or probe mended.
  if (readFacts(database, name)?.code !== code) openBook(database, name).forgive();
  writeFacts(database, name, { form: table ? "table" : "plain", code, fatal: undefined });
  // The machine, the daemon or the service's own code may be another one than at the last run.
  if (table) oweFullRun(database, name);
  believeRemovals(database, name, steady());
  const stream = receiver(options.name, store, {
    ...{ obey, hearWave: (message: WaveMessage) => gate?.hear(message), log },
    ...{ distrust: options.distrust, wrongOrderer: options.wrongOrderer, safeguards: options.safeguards },
  });
  const orderly = orders(store, context);
  let intake: Intake | undefined;
  const damaged = Promise.withResolvers<never>();

  function tableOwes(): boolean {
    const facts = readFacts(database, name);
    if (facts?.held !== undefined) return held?.owes() ?? false;
    if (!facts || facts.fatal !== undefined) return false;
    // A table that was never whole is not run on: it would take away whatever has not arrived yet.
    if (!facts.followed.equal) return false;
    if (facts.full > 0) return true;
    if (!isOwed("")) gate?.rest();
    else if (!gate || !facts.followed.mark || gate.isOpen(facts.followed.mark)) return true;
    // What a run was tried with is a debt to the daemon, and waits for nobody.
    return isOwed("AND doubt = 1");
  }

  const isOwed = (and: string): boolean =>
    database.prepare(`SELECT 1 FROM ${owedRows} ${and} LIMIT 1`).get(name) !== undefined;

  function obey(order: OrderMessage): void {
    orderly(order);
    const { mark } = readFacts(database, name)?.followed ?? {};
    const goesOn = order.order === "approve" && !order.allow && order.digest === undefined;
    if (goesOn && mark) gate?.approve(mark);
  }

  let running = false;
  let runs = 0;
  const held = table && whileHeld(table, context, { busy: () => running, poke });
  const chance = table && secondChance({ database, service: name, table, clock, signal, poke, log });
  const isHeld = (): boolean => readFacts(database, name)?.held !== undefined;

  const work = worker(
    {
      pace: table ? (table.pace ?? defaultPace) : 0,
      rest: () => restOfService(database, name, clock.now()),
      owed() {
        try {
          return table ? tableOwes() : !isHeld() && messages.next() !== undefined;
        } catch (error) {
          return judge(database, error);
        }
      },
      async run() {
        runs += 1;
        running = true;
        let refused = false;
        try {
          if (isHeld()) await held?.run();
          else if ("table" in service) await runTable(service.table, context);
          else await handleNext(service.plain, messages, context);
        } catch (error) {
          refused = error instanceof TextRefused;
          judge(database, error);
        } finally {
          running = false;
          chance?.ended(refused);
        }
        gate?.rest();
        sayHeld();
        options.ran?.(name);
        intake?.poke();
      },
      changed,
      log,
    },
    readRows().then(held?.look),
    clock,
    signal,
  );

  let saidDigest: string | undefined;
  /** Says in the log which removals wait for a person, whenever they are others than it said last. */
  function sayHeld(): void {
    if (!table) return;
    try {
      const question = noteQuestion(database, name);
      if (question && question.digest !== saidDigest) log(sayOpen(name, question));
      saidDigest = question?.digest;
    } catch (error) {
      // The report makes the digest again, and a line of the log is not worth more than that.
      log(`the digest of its held removals was not kept: ${reason(error)}`);
    }
  }

  /** The digest is made from the rows themselves, and at the start they are judged by the code that is there now. */
  async function readRows({ judged = true } = {}): Promise<void> {
    if (rows)
      await inSlices(rows.recompute(judged ? clock.now() : undefined), { clock, signal, log: options.log }).catch(
        (error) => judge(database, error),
      );
    sayHeld();
  }

  const inQuiet = {
    busy: () => running || stream.followed.doubt === true,
    owes: () => serviceReport(database, name).why !== undefined,
    runs: () => runs,
  };
  const compareOwn = (table: Table) =>
    compareDaemon && (() => compareInTurn({ ...inQuiet, compare: (signal) => compareDaemon(name, table, signal) }));
  const verified =
    table && verification({ ...{ database, service: name, signal, changed, log }, compareDaemon: compareOwn(table) });

  const queue = queueOf(options.name, name, table ? "table" : "plain");
  return {
    queue,
    started: work.started,
    ended: Promise.race([work.ended, damaged.promise]),
    async listen(broker) {
      await broker.declare([queue]);
      const say = (message: object): void => {
        // What is lost here is asked for again by `questions`, or said again when the next message is refused.
        broker.publish(reportKey, JSON.stringify(message)).catch((error) => {
          if (!signal.aborted) log(`the transcriber was not reached: ${reason(error)}`);
        });
      };
      const question = questions((want) => say(ask(options.name, name, want)), clock, signal);
      let saidAt = clock.monotonic();
      const sayRepair = (): void => {
        const left = leftToRepair(stream.followed);
        if (left === 0 || clock.monotonic() - saidAt < sayEvery) return;
        log(`the table: ${sayLeft(left)}`);
        saidAt = clock.monotonic();
      };
      const received = ({ heard, say: refusals, want, verify, differed, asked }: Received): void => {
        if (heard) question.heard();
        if (differed !== undefined) verified?.compared(differed);
        sayRepair();
        if (want) question.ask(want);
        // The digest is made from the rows again, rather than believed.
        if (verify !== undefined && verified?.isNew(verify)) {
          const compare = (): void => {
            verified.asked(verify);
            question.ask("digest");
          };
          readRows({ judged: false }).then(compare, unread);
        }
        for (const refusal of refusals) say(refusal);
        if (saidDigest !== undefined) sayHeld();
        work.poke({ again: asked });
        changed();
      };
      const unread = (error: unknown): void => {
        if (error instanceof Unusable) damaged.reject(error);
        else log(`its rows could not be read: ${reason(error)}`);
      };
      const failed = async (why: unknown): Promise<void> => {
        log(`what arrived could not be stored: ${reason(why)}`);
        try {
          judge(database, why);
        } catch (error) {
          if (error instanceof Unusable) return damaged.reject(error);
        }
        await clock.sleep(storeRetry, signal);
        intake?.poke();
      };
      intake = await openIntake(broker, store, stream, {
        queue: queue.name,
        now: clock.now,
        signal,
        received,
        failed,
      });
      if (table) question.ask("digest");
    },
    async lookAtDaemon() {
      if (!table) return;
      if (isHeld()) return held?.look();
      const before = readFacts(database, name);
      const now = await machine.incarnation(table.daemon);
      if (before?.ranAt === undefined || before.incarnation === now || before.full > 0) return;
      log("its daemon, or the machine, was restarted: one full run");
      oweFullRun(database, name);
      work.poke();
    },
    runAgain() {
      if (table) oweFullRun(database, name);
      work.poke();
    },
    async close() {
      await intake?.close();
    },
  };
}
