import { readEvent } from "../../core/directory/event.ts";
import { reason } from "../../core/util/errors.ts";
import { onceEach } from "../../core/util/once-each.ts";
import { persist } from "../../core/util/persist.ts";
import { plainLine } from "../../core/util/shown.ts";
import type { Delivery } from "../../ports/broker.ts";
import type { Clock } from "../../ports/clock.ts";
import type { EventDirectory, EventMessage } from "../../ports/directory.ts";
import { type Inbound, ofSender, readBody } from "./listener.ts";

export interface EventIntake {
  take(delivery: Delivery): void;
  /** The reason why events cannot be stored now. */
  readonly trouble: string | undefined;
}

/**
 * Stores events from their queue where they are the truth: in their order, each before it is acknowledged. While they
 * cannot be stored they stay in the queue. A message that is no event is set aside.
 */
export function eventIntake(
  store: Pick<EventDirectory, "take">,
  inbound: Pick<Inbound, "event">,
  waits: { readonly clock: Clock; readonly signal: AbortSignal; readonly log: (line: string) => void },
): EventIntake {
  const { signal, log } = waits;
  const logOnce = onceEach(log, waits.clock.monotonic);
  let backlog: Delivery[] = [];
  let storing = false;
  let trouble: string | undefined;

  async function storeAll(): Promise<void> {
    if (storing) return;
    storing = true;
    while (backlog.length > 0 && !signal.aborted) {
      const batch = backlog;
      backlog = [];
      const messages = batch.map(({ body }) => readMessage(body));
      const stored = await persist("events", () => tryToStore(messages), waits);
      if (!stored) break; // the signal: unacknowledged messages are requeued
      for (const delivery of batch) delivery.ack();
      for (const [at, message] of messages.entries()) {
        const user = batch[at]?.user;
        if ("event" in message) inbound.event(message.event);
        else logOnce(user, `a message${ofSender(user)} to trigger.event is set aside: ${message.wrong}`);
      }
    }
    storing = false;
  }

  async function tryToStore(messages: readonly EventMessage[]): Promise<true> {
    try {
      await store.take(messages, signal);
      trouble = undefined;
      return true;
    } catch (error) {
      trouble = plainLine(reason(error));
      throw error;
    }
  }

  return {
    take(delivery) {
      backlog.push(delivery);
      setImmediate(storeAll); // messages that arrive together are stored together
    },
    get trouble() {
      return trouble;
    },
  };
}

function readMessage(body: Uint8Array): EventMessage {
  try {
    return { body, event: readEvent(readBody(body)) };
  } catch (error) {
    return { body, wrong: plainLine(reason(error)) };
  }
}
