import { z } from "zod";
import { type DirectoryEvent, readEvent } from "../../core/directory/event.ts";
import { hashEnd } from "../../core/stream/digest.ts";
import {
  type AskMessage,
  askMessage,
  orderMessage,
  type RefusalMessage,
  refusalMessage,
} from "../../core/stream/messages.ts";
import { type ReportMessage, reportMessage } from "../../core/stream/report.ts";
import { reason } from "../../core/util/errors.ts";
import { readJson } from "../../core/util/json.ts";
import { onceEach } from "../../core/util/once-each.ts";
import { plainLine } from "../../core/util/shown.ts";
import { wrongBody } from "../../core/util/wrong-body.ts";
import type { Delivery } from "../../ports/broker.ts";
import type { Clock } from "../../ports/clock.ts";

/** The most bytes that a message to the transcriber may have: an event about a large group carries it twice. */
const bodyLimit = 8 * 1024 * 1024;
/** The most bytes of what a host says: a report of ten services with a hundred long reasons each has less. It is refused unread, so that many do no harm. */
const hostLimit = 2 * 1024 * 1024;

const hostMessage = z.discriminatedUnion("kind", [reportMessage, askMessage, refusalMessage]);

/** What hosts and bindings say, once it is known to be well-formed. */
export interface Heard {
  /** `user` is the broker's user who sent it, where that is known. */
  report(report: ReportMessage, user: string | undefined): void;
  ask(ask: AskMessage, user: string | undefined): void;
  refusal(refusal: RefusalMessage, user: string | undefined): void;
  event(event: DirectoryEvent): void;
  /** A person asks that the mirror be compared with the directory, and the tables with the hosts'. */
  verify(asked: number, user: string | undefined): void;
}

/** Reads what comes from hosts and bindings. Nothing that comes can stop it: what is malformed is said and acknowledged. */
export function listener(heard: Heard, log: (line: string) => void, { monotonic }: Pick<Clock, "monotonic">) {
  const say = onceEach(log, monotonic);
  const take = (delivery: Delivery, limit: number, read: (body: unknown) => void): void => {
    try {
      read(readBody(delivery.body, limit));
    } catch (error) {
      const { key, user } = delivery;
      say(user, plainLine(`a message${ofSender(user)} to ${key} is of no use: ${reason(error)}`));
    }
    delivery.ack();
  };
  return {
    /** Takes a message of the report queue. */
    report: (delivery: Delivery): void =>
      take(delivery, hostLimit, (body) => hearHost(readHostMessage(body), delivery.user, heard)),
    /** Takes a message of the event queue. */
    event: (delivery: Delivery): void =>
      take(delivery, bodyLimit, (body) => {
        const asked = verifyAsked(body);
        if (asked !== undefined) heard.verify(asked, delivery.user);
        else heard.event(readEvent(body));
      }),
  };
}

/** Who sent a message, behind that word; nothing where the broker does not know. */
export const ofSender = (user: string | undefined): string => (user === undefined ? "" : ` of ${user}`);

/** When a person asked to compare, if that is what a message of the event queue says; 0 where it does not say when. */
export function verifyAsked(body: unknown): number | undefined {
  const { data } = orderMessage.safeParse(body);
  return data?.order === "verify" ? (data.at ?? 0) : undefined;
}

/** The JSON of a message to the transcriber. Throws an error that says what is wrong. */
export function readBody(body: Uint8Array, limit = bodyLimit): unknown {
  if (body.length > limit) throw new Error(`it has ${body.length} bytes, the limit is ${limit}`);
  return readJson(body);
}

function readHostMessage(body: unknown): z.infer<typeof hostMessage> {
  const read = hostMessage.safeParse(body);
  if (read.success) return read.data;
  throw new Error(wrongBody(read.error, "the message"));
}

function hearHost(message: z.infer<typeof hostMessage>, user: string | undefined, heard: Heard): void {
  if (message.kind === "report") heard.report(message, user);
  else if (message.kind === "refusal") heard.refusal(message, user);
  else {
    const { want } = message;
    if (typeof want === "object" && !(want.from >= 0 && want.from < want.to && want.to <= hashEnd)) {
      throw new Error(`want: [${want.from}, ${want.to}) is no range of key hashes`);
    }
    heard.ask(message, user);
  }
}
