import type { OrderMessage } from "../../../src/core/stream/order.ts";
import { hostStore } from "../../../src/host/store/host-store.ts";
import type { Broker } from "../../../src/ports/broker.ts";
import { signedBy } from "./forger.ts";
import type { Store } from "./store.ts";

/** The link of a host on which every approval names the present held removals, without regard to what a person has seen. */
export function approvingAnything(link: Broker, store: Store): Broker {
  return {
    ...link,
    consume: (queue, take, options) =>
      link.consume(
        queue,
        (delivery) =>
          take({
            ...delivery,
            get body() {
              return reworded(delivery.body, store);
            },
          }),
        options,
      ),
  };
}

function reworded(body: Uint8Array, { raw }: Store): Uint8Array {
  const text = new TextDecoder().decode(body);
  if (!text.includes('"order":"approve"')) return body;
  const { key: _, signature: __, ...order }: OrderMessage & { key: string; signature: string } = JSON.parse(text);
  const { removals, records } = hostStore(raw).service(order.service);
  const digest = removals.held()?.digest;
  // One that names foreign things is about those.
  if (digest === undefined || records.conflicts()?.digest === order.digest) return body;
  return new TextEncoder().encode(signedBy("t1", JSON.stringify({ ...order, digest })));
}
