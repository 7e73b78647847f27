import type { PlainService } from "../../core/service/service.ts";
import { Fatal, reason } from "../../core/util/errors.ts";
import { wrongBody } from "../../core/util/wrong-body.ts";
import { readMessage } from "../inbox/read-message.ts";
import { parkedLimit } from "../store/messages.ts";
import { hostApi } from "./host-api.ts";
import { type RunContext, runDeadline } from "./run-context.ts";
import { withinDeadline } from "./within-deadline.ts";

/** The attempts at a plain message before it is parked; with the backoff they take less than a minute. */
const attemptLimit = 6;

/**
 * Handles the next plain message. Throws if it must be tried again. A message that keeps failing is parked, so that the
 * next ones are handled.
 */
export async function handleNext(plain: PlainService<unknown>, context: RunContext): Promise<void> {
  const { store, clock } = context;
  const { messages } = store;
  const message = messages.next();
  if (!message) return;
  const tryAgain = (why: string): void => {
    messages.failed(message, why);
    store.write({ failing: why });
  };
  const park = (why: string): void => {
    if (!messages.roomToPark()) {
      const waits = `${why}; it waits until one of the ${parkedLimit} parked is dropped or tried again`;
      tryAgain(waits);
      throw new Error(waits);
    }
    store.transaction(() => {
      messages.park(message, why);
      // A message that waits for a person is not tried any more, and is no failure.
      store.write({ failing: undefined });
    });
    context.log(`message ${message.id} is parked: ${why}`);
  };
  const body = readMessage(message.body, store.name);
  // A message that was set aside unread comes here after `trigger retry`: no attempt will make it readable.
  if ("wrong" in body) return park(body.wrong);
  if ("own" in body) return park(`a message of the protocol: ${body.own.kind}`);
  const read = readBody(plain, body.plain);
  if ("wrong" in read) return park(read.wrong);
  try {
    await withinDeadline(context, runDeadline, async (signal) => {
      const api = hostApi({ ...context, name: context.host, signal, secret: false });
      await plain.handle(read.body, api.host);
      signal.throwIfAborted();
      store.transaction(() => {
        messages.done(message);
        api.storeNotes();
        store.write({ failing: undefined, ranAt: clock.now() });
      });
    });
  } catch (error) {
    const why = reason(error);
    context.signal.throwIfAborted();
    if (error instanceof Fatal || message.attempts + 1 >= attemptLimit) return park(why);
    tryAgain(why);
    throw error;
  }
}

/** The body for a handler, or the reason why it has none: a message that became invalid must not block the next one. */
function readBody({ schema }: PlainService<unknown>, given: unknown): { body: unknown } | { wrong: string } {
  try {
    const read = schema.safeParse(given);
    return read.success ? { body: read.data } : { wrong: wrongBody(read.error) };
  } catch (error) {
    return { wrong: reason(error) };
  }
}
