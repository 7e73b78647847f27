import { type WavesOf, waveWithin } from "../../../src/core/config/waves.ts";
import { comparePlaces, type Place } from "../../../src/core/stream/messages.ts";
import { readFacts } from "../../../src/host/store/facts.ts";
import { hostStore } from "../../../src/host/store/host-store.ts";
import type { Clock } from "../../../src/ports/clock.ts";
import { Violation } from "../violation.ts";
import type { Break } from "./breaks.ts";
import type { ServiceName } from "./campus.ts";
import type { HostProcess } from "./world.ts";

/** Waves: host b applies changes of the names after host a, unless that takes too long or a person approves them. */

const service: ServiceName = "names";
const [first, second] = ["a", "b"];
const within = 15;
/** The longest time until a host checks again if it may go on, in milliseconds: twice its pace. */
const patience = 2000;

export const waves: WavesOf = { [service]: { order: [[first], [second]], within } };

/** The longest wait of each service of a host for the wave before it, in milliseconds. */
export const waitsOf =
  (host: string, without: Break | undefined) =>
  (service: string): number | undefined => {
    const waits = waveWithin(waves, service, host);
    return waits !== undefined && without === "wave-within" ? 2 * waits : waits;
  };

/** True if a service of a host waits for others. */
export const isSecond = (host: string, name: string): boolean => host === second && name === service;

/** Checks that the second host neither goes before the first nor waits forever. */
export interface WaveWatch {
  /** Called after each commit of a host. */
  committed(host: HostProcess): void;
  /**
   * Called when a run begins. `changes` is true for single changes after a run that ended well, and false otherwise.
   */
  began(host: HostProcess, service: string, by: { readonly changes: boolean }): void;
  failed(host: HostProcess, service: string): void;
  /**
   * Called when a host announces its next attempt, in milliseconds from now. A full store may have no other record of
   * it.
   */
  triesAgain(host: HostProcess, service: string, after: number): void;
  ran(host: HostProcess, service: string): void;
  /** Called when a host receives an approval to go on without the wait. */
  approved(host: HostProcess, service: string): void;
  look(hosts: readonly HostProcess[]): void;
}

export function watchWaves({ monotonic }: Pick<Clock, "monotonic">): WaveWatch {
  /**
   * The furthest place in the stream that the first host has ever applied. `approved` is the place up to which a person
   * lets the second go on.
   */
  let reached: Place | undefined;
  let approved: Place | undefined;
  /** The time since which rows of the second host are pending and no run has begun. */
  let since: number | undefined;
  /**
   * The time for which its rows were pending until now. A run begins by holding back excess removals, and then may have
   * no pending rows.
   */
  let rested: { readonly since: number; readonly at: number } | undefined;
  /** True if a run of the second has failed, and its rows are pending. */
  let owes = false;
  /** The time of the second's next attempt after a failure, as announced by it. */
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
      const { followed, applied } = readFacts(host.store.raw, service) ?? {};
      const place = owesRows(host) ? applied : followed?.mark;
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
      // A first host that reports failures is waited for; a second host that fails has its own backoff.
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
