import { z } from "zod";
import { type DirectoryEvent, readEvent } from "../../core/directory/event.ts";
import { hashEnd } from "../../core/stream/digest.ts";
import { type AskMessage, askMessage, type RefusalMessage, refusalMessage } from "../../core/stream/messages.ts";
import { type AnswerMessage, answerMessage, type OrderMessage, orderMessage } from "../../core/stream/order.ts";
import { type ReportMessage, reportMessage } from "../../core/stream/report.ts";
import { reason } from "../../core/util/errors.ts";
import { readJson } from "../../core/util/json.ts";
import { onceEach } from "../../core/util/once-each.ts";
import { plainLine } from "../../core/util/shown.ts";
import { wrongBody } from "../../core/util/wrong-body.ts";
import type { Delivery } from "../../ports/broker.ts";
import type { Clock } from "../../ports/clock.ts";
import { UserShares } from "./user-shares.ts";

/** The most bytes of a message to the transcriber. An event about a large group carries the group twice. */
const bodyLimit = 8 * 1024 * 1024;
/**
 * The most bytes of a message of a host. A report of ten services with a hundred long reasons each has less. A larger
 * one is rejected unread.
 */
const hostLimit = 2 * 1024 * 1024;

const hostMessage = z.discriminatedUnion("kind", [
  reportMessage,
  askMessage,
  refusalMessage,
  answerMessage,
  orderMessage,
]);

/** The handlers of well-formed messages. `user` is the broker's user who sent the message; undefined if unknown. */
export interface Inbound {
  report(report: ReportMessage, user: string | undefined): void;
  ask(ask: AskMessage, user: string | undefined): void;
  refusal(refusal: RefusalMessage, user: string | undefined): void;
  event(event: DirectoryEvent): void;
  /** Handles the copy of an order that a person gives to hosts. */
  order(order: OrderMessage, user: string | undefined): void;
  /** Handles the answer of a host to an order. */
  answer(answer: AnswerMessage, user: string | undefined): void;
}

/** Reads the messages of hosts and bindings. A malformed one is logged and acknowledged, and stops nothing. */
export function listener(inbound: Inbound, log: (line: string) => void, { monotonic }: Pick<Clock, "monotonic">) {
  const logOnce = onceEach(log, monotonic);
  const shares = new UserShares(monotonic);
  const take = (delivery: Delivery, limit: number, read: (body: unknown) => void): void => {
    try {
      read(readBody(delivery.body, limit));
    } catch (error) {
      const { key, user } = delivery;
      logOnce(user, plainLine(`a message${ofSender(user)} to ${key} is rejected: ${reason(error)}`));
    }
    delivery.ack();
  };
  return {
    /** Takes a message of the report queue. */
    report(delivery: Delivery): void {
      const { user, body } = delivery;
      if (shares.takes(user, body.length)) {
        take(delivery, hostLimit, (body) => dispatch(readHostMessage(body), user, inbound));
      } else {
        logOnce(user, `${user} sends more than any host needs: messages of it are dropped unread (docs/outage.md)`);
        delivery.ack();
      }
    },
    /** Takes a message of the event queue. */
    event: (delivery: Delivery): void => take(delivery, bodyLimit, (body) => inbound.event(readEvent(body))),
  };
}

/** The sender of a message as a part of a sentence: " of USER", or nothing if the broker does not know it. */
export const ofSender = (user: string | undefined): string => (user === undefined ? "" : ` of ${user}`);

/** Reads the JSON of a message to the transcriber. Throws an error that names the fault. */
export function readBody(body: Uint8Array, limit = bodyLimit): unknown {
  if (body.length > limit) throw new Error(`it has ${body.length} bytes, the limit is ${limit}`);
  return readJson(body);
}

function readHostMessage(body: unknown): z.infer<typeof hostMessage> {
  const read = hostMessage.safeParse(body);
  if (read.success) return read.data;
  throw new Error(wrongBody(read.error, "the message"));
}

function dispatch(message: z.infer<typeof hostMessage>, user: string | undefined, inbound: Inbound): void {
  if (message.kind === "report") inbound.report(message, user);
  else if (message.kind === "refusal") inbound.refusal(message, user);
  else if (message.kind === "answer") inbound.answer(message, user);
  else if (message.kind === "order") inbound.order(message, user);
  else {
    const { want } = message;
    if (typeof want === "object" && !(want.from >= 0 && want.from < want.to && want.to <= hashEnd)) {
      throw new Error(`want: [${want.from}, ${want.to}) is no range of key hashes`);
    }
    inbound.ask(message, user);
  }
}
