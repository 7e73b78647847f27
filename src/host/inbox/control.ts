import type { WrongTranscriber } from "../../core/config/senders.ts";
import { protocolVersion } from "../../core/stream/messages.ts";
import {
  type AnswerMessage,
  type Asked,
  type OrderMessage,
  type Outcome,
  orderMessage,
} from "../../core/stream/order.ts";
import { controlService, eventService, queueOf } from "../../core/stream/routing.ts";
import { reason } from "../../core/util/errors.ts";
import { readJson } from "../../core/util/json.ts";
import { onceEach } from "../../core/util/once-each.ts";
import { plainLine } from "../../core/util/shown.ts";
import { wrongBody } from "../../core/util/wrong-body.ts";
import type { Broker, Consumer, Delivery } from "../../ports/broker.ts";
import type { Clock } from "../../ports/clock.ts";
import { Unusable } from "../../sqlite/integrity.ts";
import { retryWhileBusy } from "../../sqlite/open.ts";
import type { AuditEntry } from "../store/audit.ts";
import type { HostStore } from "../store/host-store.ts";
import { reportKey } from "./receive.ts";

/** The largest order, in bytes. It names up to ten thousand hosts. */
const largest = 512 * 1024;
const prefetch = 20;

/** A service that takes orders. */
export interface OrderTaker {
  /** Carries an order out, in the store alone and within the caller's transaction. */
  obey(asked: Asked): Outcome;
  /** Called once the order's effect is stored. */
  obeyed(order: OrderMessage): void;
}

export interface ControlInputs {
  /** The name of the host. */
  readonly host: string;
  readonly store: HostStore;
  readonly services: ReadonlyMap<string, OrderTaker>;
  /** Has the transcriber of this host read the directory again; false if it has not started. Absent without one. */
  verifyDirectory?(at: number): boolean;
  /** Returns the reason to reject an order from a user of the broker; undefined to obey it. */
  readonly wrongTranscriber?: WrongTranscriber | undefined;
  /** Returns the reason to reject the signature of an order; undefined to obey it. */
  readonly distrust?: ((body: Uint8Array) => string | undefined) | undefined;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  log(line: string): void;
}

/** The orders of persons to one host. Each is obeyed once, at once, and answered. */
export interface Control {
  /** Rejects if the store turns out to be damaged. */
  readonly damaged: Promise<never>;
  /** Obeys an order that root gave on the machine itself, and returns the answer. */
  obey(order: OrderMessage): Promise<Outcome>;
  /** Receives the orders of the broker, and sends the answers that no transcriber has yet. */
  listen(broker: Broker): Promise<void>;
  /** Sends the answers that no transcriber has yet. */
  sendAnswers(): Promise<void>;
  close(): Promise<void>;
}

/** Opens the orders of a host. */
export function control(inputs: ControlInputs): Control {
  const { host, store, services, wrongTranscriber, distrust, clock, signal, log } = inputs;
  const { audit } = store;
  const logOnce = onceEach(log, clock.monotonic);
  const damaged = Promise.withResolvers<never>();
  damaged.promise.catch(() => {}); // the host has it, too
  let broker: Broker | undefined;
  let consumer: Consumer | undefined;
  let taken: Promise<unknown> = Promise.resolve();

  async function carryOut(order: OrderMessage, from: Pick<AuditEntry, "way" | "user">): Promise<Outcome> {
    try {
      const { outcome, isNew } = await retryWhileBusy(() => store.transaction(() => inStore(order, from)), signal);
      if (!isNew) return outcome;
      if (outcome.done) services.get(order.service)?.obeyed(order);
      sayAnswer(order, outcome);
      return outcome;
    } catch (error) {
      noteDamage(error);
      const outcome = refused(`it could not be stored: ${reason(error)}`);
      sayAnswer(order, outcome);
      return outcome;
    }
  }

  /** Obeys an order, with its answer. The same order again gets the same answer, and does nothing. */
  function inStore(order: OrderMessage, from: Pick<AuditEntry, "way" | "user">) {
    const known = audit.find(order.id, host)?.outcome;
    if (known) return { outcome: known, isNew: false };
    sayAsked(order);
    const late = wrongTime(order);
    const outcome = late === undefined ? obeyed(order) : refused(late);
    audit.answer({ host, order, ...from, at: clock.now(), outcome }, { unsent: true });
    return { outcome, isNew: true };
  }

  /** The reason why an order cannot be told from one that was obeyed; undefined if it can. */
  function wrongTime({ id }: OrderMessage): string | undefined {
    const now = clock.now();
    if (audit.isForgotten(id, host, now)) return "it is older than the last thousand orders of this host";
    if (!audit.isOfFuture(id, now)) return undefined;
    return `its id is more than a day ahead of the clock of ${host}, which says ${new Date(now).toISOString()}`;
  }

  function noteDamage(error: unknown): void {
    try {
      store.rethrow(error);
    } catch (thrown) {
      if (thrown instanceof Unusable) damaged.reject(thrown);
    }
  }

  function obeyed(order: OrderMessage): Outcome {
    if (order.service === eventService) return obeyedByTranscriber(order);
    return services.get(order.service)?.obey(order) ?? refused(`${host} does not run ${order.service}`);
  }

  function obeyedByTranscriber({ order, at }: OrderMessage): Outcome {
    if (order !== "verify") return refused(`a transcriber takes no order to ${order}`);
    if (!inputs.verifyDirectory) return refused(`${host} does not transcribe`);
    return inputs.verifyDirectory(at)
      ? { done: true, text: "the directory is read again" }
      : refused("its transcriber has not started yet");
  }

  function sayAsked({ service, order, by, name, digest }: OrderMessage): void {
    const about = [order, name ?? digest].filter((word) => word !== undefined).join(" ");
    log(plainLine(`${service}: asked to ${about} by ${by}`, 2_000));
  }

  function sayAnswer({ service, order }: OrderMessage, { done, text }: Outcome): void {
    log(plainLine(`${service}: ${order} is ${done ? "done" : "refused"}: ${text}`, 2_000));
  }

  async function take({ body, user, ack }: Delivery): Promise<void> {
    try {
      const wrong = wrongTranscriber?.(user) ?? distrust?.(body);
      const order = read(body);
      if (wrong !== undefined) {
        if (services.has(order.service)) store.service(order.service).untrusted.count(wrong, clock.now());
        throw new Error(wrong);
      }
      if (order.hosts.includes(host)) {
        const outcome = await carryOut(order, { way: "broker", user });
        // An order that could not be stored is answered all the same.
        if (!audit.find(order.id, host)) await tell({ host, order, way: "broker", outcome, at: clock.now() });
      }
      await sendAnswers();
    } catch (error) {
      logOnce(user, plainLine(`an order${user === undefined ? "" : ` of ${user}`} is rejected: ${reason(error)}`));
    }
    ack();
  }

  async function tell(answer: Omit<AnswerMessage, "trigger" | "kind">): Promise<void> {
    const message: AnswerMessage = { trigger: protocolVersion, kind: "answer", ...answer };
    await broker?.publish(reportKey, JSON.stringify(message));
  }

  async function sendAnswers(): Promise<void> {
    if (!broker) return;
    try {
      for (const { order, way, outcome, at } of audit.unsent(host)) {
        if (outcome) await tell({ host, order, way, outcome, at });
        audit.sent(order.id, host);
      }
    } catch (error) {
      if (!signal.aborted) logOnce(undefined, `an answer to an order is sent later: ${reason(error)}`);
    }
  }

  return {
    damaged: damaged.promise,
    async obey(order) {
      const outcome = await carryOut(order, { way: "socket", user: undefined });
      void sendAnswers();
      return outcome;
    },
    async listen(opened) {
      const queue = queueOf(host, controlService, "control");
      broker = opened;
      await opened.declare([queue]);
      const inTurn = (delivery: Delivery): void => {
        taken = taken
          .then(() => take(delivery))
          .catch((error) => signal.aborted || log(`an order was not taken: ${reason(error)}`));
      };
      consumer = await opened.consume(queue.name, inTurn, { prefetch });
      await sendAnswers();
    },
    sendAnswers,
    close: async () => consumer?.close(),
  };
}

/** Reads an order. Throws an error that names the fault. */
function read(body: Uint8Array): OrderMessage {
  if (body.length > largest) throw new Error(`it has ${body.length} bytes, the limit is ${largest}`);
  const order = orderMessage.safeParse(readJson(body));
  if (!order.success) throw new Error(wrongBody(order.error, "the order"));
  return order.data;
}

const refused = (text: string): Outcome => ({ done: false, text });
