import type { Want } from "../core/follow.ts";
import { hearEpoch, hearRefusal, type Lead, lookAgain, patience } from "../core/lead.ts";
import type { CellChange } from "../core/row.ts";
import { type DirectoryState, highestEpoch, type RefusalMessage } from "../core/stream.ts";
import { nextEpoch } from "../core/tell.ts";
import type { Clock } from "../ports/clock.ts";
import type { Channel } from "./channel.ts";

/** An epoch that is heard is believed up to here, so that many can still begin above it. */
const mostBelieved = highestEpoch - 2 ** 40;

/** The least time between two epochs, in milliseconds: two transcribers that both believe to be active must not chase each other. */
const epochSpacing = 1_000;

export interface SpeakerOptions {
  readonly channels: ReadonlyMap<string, Channel>;
  readonly clock: Clock;
  readonly random: () => number;
  /** The directory state that the mirror holds. */
  mirror(): DirectoryState;
  /** Since when the directory is read without trouble, in monotonic milliseconds; infinite while it cannot be. */
  readSince(): number;
  /** Brings the tables to the present clock, at once unless much moves. */
  look(): void;
  /** The tables are being moved: no epoch begins before they are. */
  busy(): boolean;
  log(line: string): void;
}

/** Who speaks, and in which epoch: nobody unless elected and with a complete mirror. */
export interface Speaker {
  readonly active: boolean;
  readonly epoch: number | undefined;
  elect(active: boolean): void;
  /** The mirror is whole: what is said of it is true. */
  complete(): void;
  moved(services: ReadonlyMap<string, readonly CellChange[]>): void;
  digests(): void;
  answer(service: string, host: string, want: Want): void;
  /** Hears of an epoch that a host holds; the next one goes above it, and begins at once if this one does not. */
  hear(epoch: number): void;
  refused(refusal: RefusalMessage): void;
  /** Looks whether what it waited for has come. */
  lookAgain(): void;
  /** When to look again, in monotonic milliseconds. */
  due(): number | undefined;
}

export function speaker({ channels, clock, random, mirror, readSince, look, busy, log }: SpeakerOptions): Speaker {
  let active = false;
  let complete = false;
  let lead: Lead = { epoch: 0, heard: 0 };
  let begunAt = Number.NEGATIVE_INFINITY;
  /** An epoch that is to begin when the last one is old enough. */
  let wanted: { readonly rolledBack: boolean } | undefined;

  const speaks = (): boolean => lead.epoch > 0;

  function begin(rolledBack: boolean): void {
    if (!active || !complete) return;
    const meant = { rolledBack: rolledBack || wanted?.rolledBack === true };
    if (busy() || clock.monotonic() - begunAt < epochSpacing) {
      wanted = meant;
      return;
    }
    silence();
    look(); // before the epoch's first word, so that no row which time has taken away returns with it
    if (busy()) {
      wanted = meant;
      return;
    }
    begunAt = clock.monotonic();
    const epoch = nextEpoch(clock.now(), lead.heard, random);
    lead = { epoch, heard: epoch };
    log(`epoch ${epoch} begins${meant.rolledBack ? ": the directory was rolled back" : ""}`);
    for (const channel of channels.values()) channel.begin(epoch, meant.rolledBack);
  }

  function hear(epoch: number): void {
    if (epoch > mostBelieved) return;
    const heard = hearEpoch(lead, epoch);
    if (speaks()) follow(heard);
    else lead = heard.lead;
  }

  function silence(): void {
    lead = { epoch: 0, heard: Math.max(lead.heard, lead.epoch) };
    wanted = undefined;
    for (const channel of channels.values()) channel.end();
  }

  function follow({ lead: next, act }: ReturnType<typeof lookAgain>): void {
    lead = next;
    if (act === "digest") for (const channel of channels.values()) channel.digest();
    else if (act) begin(act === "rollBack");
  }

  return {
    get active() {
      return active;
    },
    get epoch() {
      return speaks() ? lead.epoch : undefined;
    },
    elect(elected) {
      if (active === elected) return;
      active = elected;
      log(active ? "this host is the active transcriber" : "this host stands by");
      if (active) begin(false);
      else silence();
    },
    complete() {
      complete = true;
      if (!speaks()) begin(false);
    },
    moved(services) {
      for (const [service, changes] of services) channels.get(service)?.moved(changes);
      for (const channel of channels.values()) channel.resume();
    },
    digests() {
      for (const channel of channels.values()) channel.digest();
    },
    answer: (service, host, want) => channels.get(service)?.answer(host, want),
    hear,
    refused(refusal) {
      const { host, service, epoch } = refusal;
      if (epoch > mostBelieved)
        throw new Error(
          `${service} on ${host} holds epoch ${epoch}, which none can follow: stop it, delete its store, start it`,
        );
      if (!speaks()) return hear(epoch);
      follow(hearRefusal(lead, refusal, mirror(), clock.monotonic()));
    },
    lookAgain() {
      if (wanted) begin(wanted.rolledBack);
      if (speaks()) follow(lookAgain(lead, mirror(), clock.monotonic(), readSince()));
    },
    due() {
      const times = [
        wanted && !busy() ? begunAt + epochSpacing : undefined,
        lead.behind && Math.max(lead.behind.since, readSince()) + patience,
      ];
      const known = times.filter((time) => time !== undefined);
      return known.length === 0 ? undefined : Math.min(...known);
    },
  };
}
