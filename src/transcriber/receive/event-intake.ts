import { readEvent } from "../../core/directory/event.ts";
import { reason } from "../../core/util/errors.ts";
import { onceEach } from "../../core/util/once-each.ts";
import { persist } from "../../core/util/persist.ts";
import { plainLine } from "../../core/util/shown.ts";
import type { Delivery } from "../../ports/broker.ts";
import type { Clock } from "../../ports/clock.ts";
import type { EventDirectory, EventMessage } from "../../ports/directory.ts";
import { type Heard, ofSender, readBody, verifyAsked } from "./listener.ts";

export interface EventIntake {
  take(delivery: Delivery): void;
  /** Why events cannot be stored now. */
  readonly trouble: string | undefined;
}

/**
 * Takes events off their queue where they are the truth: stored, then acknowledged, in their order. While they cannot be stored
 * they stay in the queue, which refuses more when it is full; what is no event is set aside.
 */
export function eventIntake(
  store: Pick<EventDirectory, "take">,
  heard: Pick<Heard, "event" | "verify">,
  waits: { readonly clock: Clock; readonly signal: AbortSignal; readonly log: (line: string) => void },
): EventIntake {
  const { signal, log } = waits;
  const say = onceEach(log, waits.clock.monotonic);
  let inHand: Delivery[] = [];
  let busy = false;
  let trouble: string | undefined;

  async function storeAll(): Promise<void> {
    if (busy) return;
    busy = true;
    while (inHand.length > 0 && !signal.aborted) {
      const batch = inHand;
      inHand = [];
      const read = batch.map(({ body }) => readMessage(body));
      const messages = read.filter((message) => typeof message !== "number");
      const stored = await persist("events", () => tryToStore(messages), waits);
      if (!stored) break; // the signal: what is not acknowledged goes back
      for (const delivery of batch) delivery.ack();
      for (const [at, message] of read.entries()) {
        const user = batch[at]?.user;
        if (typeof message === "number") continue;
        if ("event" in message) heard.event(message.event);
        else say(user, `a message${ofSender(user)} to trigger.event is set aside: ${message.wrong}`);
      }
      for (const [at, message] of read.entries()) {
        if (typeof message === "number") verify(message, batch[at]?.user);
      }
    }
    busy = false;
  }

  function verify(asked: number, user: string | undefined): void {
    try {
      heard.verify(asked, user);
    } catch (error) {
      say(user, `a message${ofSender(user)} to trigger.event is of no use: ${plainLine(reason(error))}`);
    }
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
      inHand.push(delivery);
      // What arrives together is stored together.
      setImmediate(storeAll);
    },
    get trouble() {
      return trouble;
    },
  };
}

/** An order to compare comes by the same queue and says nothing of the directory: a number, when it was asked. */
function readMessage(body: Uint8Array): EventMessage | number {
  try {
    const said = readBody(body);
    return verifyAsked(said) ?? { body, event: readEvent(said) };
  } catch (error) {
    return { body, wrong: plainLine(reason(error)) };
  }
}
