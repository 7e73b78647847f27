import { type WavesOf, waveWithin } from "../../../src/core/config/waves.ts";
import { comparePlaces, type Place } from "../../../src/core/stream/messages.ts";
import { readFacts } from "../../../src/host/store/facts.ts";
import { hostStore } from "../../../src/host/store/host-store.ts";
import type { Clock } from "../../../src/ports/clock.ts";
import { Violation } from "../violation.ts";
import type { Break } from "./breaks.ts";
import type { ServiceName } from "./campus.ts";
import type { HostProcess } from "./world.ts";

/** Host b puts changes of the names in force after host a, unless that takes too long or a person does not want to wait. */

const service: ServiceName = "names";
const [first, second] = ["a", "b"];
const within = 15;
/** What a host takes to look again whether it may go on: its pace, and as long again. Milliseconds. */
const patience = 2000;

export const waves: WavesOf = { [service]: { order: [[first], [second]], within } };

/** How long each service of a host waits for the wave before it, in milliseconds. */
export const waitsOf =
  (host: string, without: Break | undefined) =>
  (service: string): number | undefined => {
    const waits = waveWithin(waves, service, host);
    return waits !== undefined && without === "wave-within" ? 2 * waits : waits;
  };

/** Whether a service of a host waits for others. */
export const isSecond = (host: string, name: string): boolean => host === second && name === service;

/** Sees that the second host neither goes before the first, nor waits for ever. */
export interface WaveWatch {
  /** A host has committed something. */
  committed(host: HostProcess): void;
  /** A run begins: on single changes, and after one that ended well; or on whatever there is. */
  began(host: HostProcess, service: string, by: { readonly changes: boolean }): void;
  failed(host: HostProcess, service: string): void;
  /** A host says that it tries again after so many milliseconds; a store that is full may keep no other word of it. */
  triesAgain(host: HostProcess, service: string, after: number): void;
  ran(host: HostProcess, service: string): void;
  /** A host obeys a person who does not want to wait. */
  approved(host: HostProcess, service: string): void;
  look(hosts: readonly HostProcess[]): void;
}

export function watchWaves({ monotonic }: Pick<Clock, "monotonic">): WaveWatch {
  /** The furthest place in the stream that the first host has ever had in force, and the one up to which a person lets the second go on. */
  let reached: Place | undefined;
  let approved: Place | undefined;
  /** Since when the second owes rows, and no run has begun. */
  let since: number | undefined;
  /** Since when it had owed rows until now: a run begins by holding back removals that are too many, and then may owe none. */
  let rested: { readonly since: number; readonly at: number } | undefined;
  /** A run of the second has failed, and what it was tried with is a debt. */
  let owes = false;
  /** When the second tries again what has just failed, by its own word. */
  let tries = 0;
  let seen: Violation | undefined;

  const owesRows = ({ store }: HostProcess): boolean => hostStore(store.raw).service(service).seen.isPending();
  const isBefore = (mark: Place, place: Place | undefined): boolean =>
    place !== undefined && comparePlaces(mark, place) <= 0;

  return {
    committed(host) {
      if (host.name === second && owesRows(host)) since ??= monotonic();
      else if (host.name === second) {
        if (since !== undefined) rested = { since, at: monotonic() };
        since = undefined;
      }
      if (host.name !== first) return;
      const { followed, loaded } = readFacts(host.store.raw, service) ?? {};
      const place = owesRows(host) ? loaded : followed?.mark;
      if (place && !isBefore(place, reached)) reached = place;
    },
    began(host, name, { changes }) {
      if (!isSecond(host.name, name)) return;
      const now = monotonic();
      const waited = now - (since ?? (rested?.at === now ? rested.since : now));
      since = undefined;
      tries = 0;
      const mark = readFacts(host.store.raw, service)?.followed.mark;
      if (!changes || owes || !mark || waited >= within * 1000) return;
      if (isBefore(mark, reached) || isBefore(mark, approved)) return;
      seen ??= new Violation(
        "waves",
        `${second} goes to (${mark.epoch}, ${mark.seq}) after ${waited} ms, ${first} was at (${reached?.epoch}, ${reached?.seq}) at most`,
      );
    },
    failed(host, name) {
      if (isSecond(host.name, name)) owes = true;
    },
    triesAgain(host, name, after) {
      if (isSecond(host.name, name)) tries = monotonic() + after;
    },
    ran(host, name) {
      if (isSecond(host.name, name)) owes = false;
    },
    approved(host, name) {
      if (isSecond(host.name, name)) approved = readFacts(host.store.raw, service)?.followed.mark;
    },
    look(hosts) {
      if (seen) throw seen;
      const host = hosts.find(({ name }) => name === second);
      if (!host?.up || since === undefined || host.machine.faults.slow > 0 || host.store.full > 0) return;
      const { held, failing, fatal, followed } = readFacts(host.store.raw, service) ?? {};
      // One that says that it fails is waited for; and who fails himself has his own backoff.
      const fails = hostStore(host.store.raw).service(service).waveWait.read()?.startsWith(`waits for ${first}`);
      if (fails || owes || held !== undefined || failing !== undefined || fatal !== undefined || !followed?.equal)
        return;
      const now = monotonic();
      const waited = now - since;
      if (now <= Math.max(since + within * 1000, tries) + patience) return;
      throw new Violation("waves", `${second} has waited for ${waited} ms, at most ${within} s are to be`);
    },
  };
}
