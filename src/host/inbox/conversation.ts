import { leftToRepair, type TableQuestion } from "../../core/stream/host-end.ts";
import type { DaemonCompared } from "../../core/stream/report.ts";
import { queueOf } from "../../core/stream/routing.ts";
import { reason } from "../../core/util/errors.ts";
import type { Broker, Queue } from "../../ports/broker.ts";
import type { Clock } from "../../ports/clock.ts";
import { Unusable } from "../../sqlite/integrity.ts";
import { type Intake, openIntake } from "./intake.ts";
import { type Questions, questions } from "./questions.ts";
import {
  ask,
  type Received,
  type Receiver,
  type ReceiverOptions,
  receiver,
  reportKey,
  type StoredService,
} from "./receive.ts";
import { sayLeft } from "./say-left.ts";
import { type Verification, verification } from "./verification.ts";

/** The wait before unstored deliveries are tried again after the store failed (a full disk), in milliseconds. */
const storeRetry = 1000;
/** The interval of log lines about a long repair, in milliseconds. */
const repairLogEvery = 5000;

export interface ConversationInputs extends ReceiverOptions {
  /** The name of the host. */
  readonly host: string;
  readonly inbox: StoredService;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Compares the daemon of a table service; undefined if there is no comparison. It does not reject. */
  readonly compareDaemon: (() => Promise<DaemonCompared>) | undefined;
  /** Recomputes the digest from the rows. */
  recompute(): Promise<void>;
  /** Called when a batch of messages is stored. */
  stored(): void;
  /** Called when the report of the service has changed. */
  onReportChanged(): void;
}

/**
 * The exchange of one service with the transcriber: the stream, questions, refusals and comparisons. It runs no
 * service.
 */
export class Conversation {
  readonly queue: Queue;
  /** Rejects if the store turns out to be damaged. */
  readonly damaged: Promise<never>;
  readonly #inputs: ConversationInputs;
  readonly #receiver: Receiver;
  readonly #questions: Questions;
  readonly #verification: Verification | undefined;
  readonly #damaged = Promise.withResolvers<never>();
  #broker: Broker | undefined;
  #intake: Intake | undefined;
  #repairLogged = Number.NEGATIVE_INFINITY;

  constructor(inputs: ConversationInputs) {
    const { host, inbox, clock, signal } = inputs;
    const { store, rows } = inbox;
    const { name } = store;
    this.#inputs = inputs;
    this.queue = queueOf(host, name, rows ? "table" : "plain");
    this.damaged = this.#damaged.promise;
    this.#receiver = receiver(host, inbox, inputs);
    this.#questions = questions((want) => this.#publish(ask(host, name, want)), clock, signal);
    this.#verification = rows && verification({ ...inputs, store });
  }

  /** True while the table may differ from the transcriber's: it is being compared or repaired. */
  get inDoubt(): boolean {
    return this.#receiver.followed.doubt === true;
  }

  /** Receives the messages of the queue, and asks how the table compares; throws if the broker cannot be reached. */
  async listen(broker: Broker): Promise<void> {
    const { inbox, clock, signal } = this.#inputs;
    this.#broker = broker;
    await broker.declare([this.queue]);
    this.#repairLogged = clock.monotonic();
    this.#intake = await openIntake(broker, inbox, this.#receiver, {
      ...{ queue: this.queue.name, now: clock.now, signal },
      received: (received) => this.#received(received),
      failed: (why) => void this.#failed(why),
    });
    if (inbox.rows) this.#questions.ask("digest");
  }

  /** Stores deliveries that had to wait for room in the store. */
  poke(): void {
    this.#intake?.poke();
  }

  async close(): Promise<void> {
    await this.#intake?.close();
  }

  /**
   * Publishes a message to the transcriber. A lost question is asked again. A lost refusal is published again with the
   * next refused message.
   */
  #publish(message: object): void {
    const { signal, log } = this.#inputs;
    this.#broker?.publish(reportKey, JSON.stringify(message)).catch((error) => {
      if (!signal.aborted) log(`cannot reach the transcriber: ${reason(error)}`);
    });
  }

  #ask(want: TableQuestion): void {
    this.#questions.ask(want);
  }

  #received({ heard, refusals, want, differed }: Received): void {
    if (heard) this.#questions.heard();
    if (differed !== undefined) this.#verification?.compared(differed);
    this.#logRepair();
    if (want) this.#ask(want);
    for (const refusal of refusals) this.#publish(refusal);
    this.#inputs.stored();
    this.#inputs.onReportChanged();
  }

  /**
   * Answers a person's `verify` of a time, in milliseconds since 1970. The digest is recomputed from the rows rather than
   * trusted, and then compared.
   */
  verify(at: number): void {
    const verification = this.#verification;
    if (!verification) return;
    const compare = (): void => {
      verification.asked(at);
      this.#ask("digest");
    };
    this.#inputs.recompute().then(compare, (error) => this.#unread(error));
  }

  #unread(error: unknown): void {
    if (error instanceof Unusable) this.#damaged.reject(error);
    else this.#inputs.log(`its rows could not be read: ${reason(error)}`);
  }

  #logRepair(): void {
    const { clock, log } = this.#inputs;
    const left = leftToRepair(this.#receiver.followed);
    if (left === 0 || clock.monotonic() - this.#repairLogged < repairLogEvery) return;
    log(`the table: ${sayLeft(left)}`);
    this.#repairLogged = clock.monotonic();
  }

  async #failed(why: unknown): Promise<void> {
    const { inbox, clock, signal, log } = this.#inputs;
    log(`received messages could not be stored: ${reason(why)}`);
    try {
      inbox.store.rethrow(why);
    } catch (error) {
      if (error instanceof Unusable) return this.#damaged.reject(error);
    }
    await clock.sleep(storeRetry, signal);
    this.poke();
  }
}
