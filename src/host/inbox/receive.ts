import type { WrongPlainSender, WrongTranscriber } from "../../core/config/senders.ts";
import type { Service } from "../../core/service/service.ts";
import { type Followed, type Followup, follow, type TableQuestion } from "../../core/stream/host-end.ts";
import {
  type AskMessage,
  protocolVersion,
  type RefusalMessage,
  type StreamMessage,
  type WaveMessage,
} from "../../core/stream/messages.ts";
import { reportService, serviceKey } from "../../core/stream/routing.ts";
import type { Delivery } from "../../ports/broker.ts";
import { retryWhileBusy } from "../../sqlite/open.ts";
import type { StoredRows } from "../store/rows.ts";
import type { ServiceStore } from "../store/service-store.ts";
import { readMessage } from "./read-message.ts";
import { reconciliation } from "./reconcile.ts";

/** The intake of messages: each is stored before it is acknowledged, since the broker may then delete it. */

/** The key of messages from hosts to the transcriber. */
export const reportKey = serviceKey(reportService);

/** A service with its part of the store, and its rows there. */
export interface StoredService {
  readonly store: ServiceStore;
  readonly service: Service;
  /** The rows of its table; undefined for a plain service. */
  readonly rows: StoredRows | undefined;
}

export interface Received {
  /** True if a message of the stream arrived. */
  readonly heard: boolean;
  /** The question to ask afterwards, if any. */
  readonly want: TableQuestion | undefined;
  /** The refusals to publish. */
  readonly refusals: readonly RefusalMessage[];
  /** True if a digest that was compared with the table's differed; undefined if none was. */
  readonly differed: boolean | undefined;
}

export interface Receiver {
  /** Stores deliveries in order, in one transaction, and acknowledges them. */
  take(deliveries: readonly Delivery[], now: number, signal: AbortSignal): Promise<Received>;
  readonly followed: Followed;
}

type Taken = { readonly followup: Followup; readonly of: StreamMessage } | { readonly wave: WaveMessage };

export interface ReceiverOptions {
  /** Handles a message about the progress of other hosts. */
  hearWave?(message: WaveMessage): void;
  log(line: string): void;
  /** Returns the reason to reject a message of the stream; undefined to accept it. */
  readonly distrust?: ((body: Uint8Array) => string | undefined) | undefined;
  /** Returns the reason to reject a message of the stream from a user of the broker; undefined to accept it. */
  readonly wrongTranscriber?: WrongTranscriber | undefined;
  /** Returns the reason to reject a plain message from a user of the broker; undefined to accept it. */
  readonly wrongPlainSender?: WrongPlainSender | undefined;
  /** Decides what to do with a message of the stream; `follow` by default. */
  readonly follow?: typeof follow | undefined;
}

/** The least time between two log lines about untrusted messages, in milliseconds: one sender can send many. */
const untrustedPace = 60_000;

/** Opens the intake of a service's store, at the stored place in the stream. */
export function receiver(
  host: string,
  { store, rows }: StoredService,
  { hearWave, log, distrust, wrongTranscriber, wrongPlainSender, follow: decide = follow }: ReceiverOptions,
): Receiver {
  const { name, messages } = store;
  const reconciled = rows && reconciliation(name, rows);
  let followed: Followed = store.facts?.followed ?? {};
  let untrustedSaid = Number.NEGATIVE_INFINITY;

  function takeOne(delivery: Delivery, now: number): Taken | undefined {
    const read = readMessage(delivery.body, name);
    const setAside = (why: string): undefined => {
      messages.setAside(delivery.body, delivery.messageId, why, now);
      log(`a message was set aside: ${why}`);
    };
    if ("wrong" in read) return setAside(read.wrong);
    if ("own" in read) {
      if (!rows) return setAside("it is about a table, but the service has none");
      const why = wrongTranscriber?.(delivery.user) ?? distrust?.(delivery.body);
      if (why !== undefined) return refuse(why, now);
      return read.own.kind === "wave" ? { wave: read.own } : takeStream(rows, read.own, now);
    }
    if (rows) return setAside("a plain message, for a service whose rows are computed from the directory");
    const why = wrongPlainSender?.(name, delivery.user);
    if (why !== undefined) return refuse(why, now);
    messages.store(delivery.body, delivery.messageId, now);
    return undefined;
  }

  function refuse(why: string, now: number): undefined {
    store.untrusted.count(why, now);
    if (Math.abs(now - untrustedSaid) < untrustedPace) return;
    untrustedSaid = now;
    log(`a message is rejected: ${why}`);
  }

  function takeStream(rows: StoredRows, message: StreamMessage, now: number): Taken {
    const followup = decide(followed, message, rows.digest);
    if (followup.write) rows.write(followup.write, now);
    followed = followup.followed;
    return { followup, of: message };
  }

  function storeAll(deliveries: readonly Delivery[], now: number): Taken[] {
    const before = followed;
    const restoreDigest = rows?.digest.saved();
    try {
      return store.transaction(() => {
        const taken = deliveries.map((delivery) => takeOne(delivery, now)).filter((one) => one !== undefined);
        if (followed !== before) store.write({ followed });
        const settled = before.doubt && !followed.doubt;
        if (settled && store.facts?.applied?.doubt) store.orderFullRun();
        // Changed rows make a new text: a run that waited for one must not keep waiting if the process ends here.
        if (taken.some((one) => "followup" in one && one.followup.write)) store.write({ fatal: undefined });
        return taken;
      });
    } catch (error) {
      // The transaction was rolled back, so the state in memory must be, too.
      followed = before;
      restoreDigest?.();
      throw error;
    }
  }

  return {
    get followed() {
      return followed;
    },
    async take(deliveries, now, signal) {
      const taken = await retryWhileBusy(() => storeAll(deliveries, now), signal);
      for (const delivery of deliveries) delivery.ack();
      for (const one of taken) if ("wave" in one) hearWave?.(one.wave);
      const followups = taken.filter((one) => "followup" in one);
      // Of several questions only the last one counts: it was decided last.
      const want = followups.findLast(({ followup }) => followup.ask)?.followup.ask;
      for (const { of } of followups) if (of.kind === "part") reconciled?.heard(of);
      const compared = followups.findLast(
        ({ of, followup }) => of.kind === "digest" && !followup.refused && !followup.dropped,
      );
      const refused = followups.findLast(({ followup }) => followup.refused);
      return {
        heard: followups.length > 0,
        want: want && reconciled ? reconciled.withSums(want) : want,
        refusals: refused ? refusal(host, name, refused, followed) : [],
        differed: compared && compared.followup.followed.doubt === true,
      };
    },
  };
}

/** A question about a service's table. */
export const ask = (host: string, service: string, want: TableQuestion): AskMessage => ({
  trigger: protocolVersion,
  kind: "ask",
  host,
  service,
  want,
});

function refusal(
  host: string,
  service: string,
  { followup, of }: { followup: Followup; of: StreamMessage },
  { mark }: Followed,
): RefusalMessage[] {
  if (!followup.refused || !mark) return [];
  const asOf = { state: [...mark.asOf.state], clock: mark.asOf.clock };
  const said = { epoch: mark.epoch, asOf, refused: of.epoch, because: followup.refused };
  return [{ trigger: protocolVersion, kind: "refusal", host, service, ...said }];
}
