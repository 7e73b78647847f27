import type { Broker, Consumer, Delivery } from "../../ports/broker.ts";
import { waitingLimit } from "../store/messages.ts";
import type { Received, Receiver, StoredService } from "./receive.ts";

/** The most unacknowledged deliveries of a service. */
const prefetch = 200;

export interface Intake {
  /** Called when there is room again for plain messages. */
  poke(): void;
  close(): Promise<void>;
}

export interface IntakeOptions {
  readonly queue: string;
  readonly signal: AbortSignal;
  now(): number;
  received(received: Received): void;
  failed(why: unknown): void;
}

/** Stores the messages of a service's queue: those that arrive together in one transaction. */
export async function openIntake(
  broker: Broker,
  { store, rows }: StoredService,
  receiver: Receiver,
  options: IntakeOptions,
): Promise<Intake> {
  const { queue, now, signal, received, failed } = options;
  let inHand: Delivery[] = [];
  let busy = false;

  async function takeAll(): Promise<void> {
    if (busy) return;
    busy = true;
    try {
      while (inHand.length > 0 && !signal.aborted) {
        const room = rows ? inHand.length : waitingLimit - store.messages.waiting();
        // Beyond the limit nothing is acknowledged, so the queue fills up and refuses its publishers.
        if (room <= 0) return;
        const batch = inHand.slice(0, room);
        received(await receiver.take(batch, now(), signal));
        inHand = inHand.slice(batch.length);
      }
    } catch (error) {
      if (!signal.aborted) failed(error);
    } finally {
      busy = false;
    }
  }

  const consumer: Consumer = await broker.consume(
    queue,
    (delivery) => {
      inHand.push(delivery);
      setImmediate(takeAll);
    },
    { prefetch },
  );
  return {
    poke: () => void takeAll(),
    close: () => consumer.close(),
  };
}
