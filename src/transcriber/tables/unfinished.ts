import type { UnfinishedEntry } from "../../core/stream/unfinished-line.ts";
import { backoff } from "../../core/util/backoff.ts";

interface Unfinished extends UnfinishedEntry {
  /** The tries with the whole limit since the entry changed. */
  readonly failures: number;
  /** The tries since the last one of those: each has half the limit of the one before. */
  readonly quick: number;
  /** The time of the next try with the whole limit, milliseconds since 1970. */
  readonly retryAt: number;
}

const waits = { first: 60_000, longest: 24 * 60 * 60_000 };
/** The shortest limit is this part of the whole one. */
const least = 1 / 64;
/** The time that interrupted evaluations may take, in whole limits at once, and as a share of all time. */
const [atOnce, share] = [5, 0.1];
/** An evaluation from this time on is remembered, in milliseconds: the next one may take several times as long. */
const remembered = 5;

/**
 * The entries whose `select` did not end in time, of all services, and the time that each may take. The limit of such an
 * entry halves with each change until its retry is due. Together they may take a tenth of the time: after that,
 * any entry has only a small limit, or four times what it took before.
 */
export class UnfinishedEntries {
  readonly #limit: number;
  readonly #byService = new Map<string, Map<string, Unfinished>>();
  /** The time that each long evaluation took, in milliseconds, by service and UUID. */
  readonly #took = new Map<string, number>();
  /** The time taken by interrupted evaluations at a moment (milliseconds of the watch). */
  #spent = { milliseconds: 0, at: 0 };

  /** `limit` is the most that one evaluation may take, in milliseconds. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The unfinished entries of a service. */
  of(service: string): UnfinishedEntry[] {
    return [...(this.#byService.get(service)?.values() ?? [])].map(({ dn, since }) => ({ dn, since }));
  }

  /** The number of unfinished entries of a service. */
  count(service: string): number {
    return this.#byService.get(service)?.size ?? 0;
  }

  /** True if the last evaluation of an entry was interrupted. */
  has(service: string, uuid: string): boolean {
    return this.#byService.get(service)?.has(uuid) ?? false;
  }

  /** The most milliseconds that the next evaluation of an entry may take. `time` is in milliseconds since 1970. */
  limitOf(service: string, uuid: string, time: number, now: number): number {
    const known = this.#byService.get(service)?.get(uuid);
    const halvings = known && time < known.retryAt ? 1 + known.quick : 0;
    const own = this.#limit * Math.max(least, 2 ** -halvings);
    if (this.#spentAt(now) < atOnce * this.#limit) return own;
    return Math.min(own, Math.max(this.#limit * least, 4 * (this.#took.get(`${service} ${uuid}`) ?? 0)));
  }

  /** Notes an evaluation that ended. Returns the entry if it was unfinished until now. */
  ended(service: string, uuid: string, took: number): UnfinishedEntry | undefined {
    const name = `${service} ${uuid}`;
    if (took >= remembered) this.#took.set(name, took);
    else this.#took.delete(name);
    const entries = this.#byService.get(service);
    const known = entries?.get(uuid);
    entries?.delete(uuid);
    return known;
  }

  /** Notes an interrupted evaluation. Returns the time of the next try, and whether the entry was finished before. */
  interrupted(
    service: string,
    { uuid, dn }: { uuid: string; dn: string },
    { time, now, took }: { time: number; now: number; took: number },
  ): { retryAt: number; isNew: boolean } {
    this.#spent = { milliseconds: this.#spentAt(now) + took, at: now };
    const entries = this.#byService.get(service) ?? new Map<string, Unfinished>();
    this.#byService.set(service, entries);
    const known = entries.get(uuid);
    const isEarly = known !== undefined && time < known.retryAt;
    const [failures, quick] = isEarly ? [1, known.quick + 1] : [(known?.failures ?? 0) + 1, 0];
    const wait = time + backoff(failures, waits);
    const retryAt = isEarly ? Math.min(known.retryAt, wait) : wait;
    entries.set(uuid, { dn, since: known?.since ?? time, failures, quick, retryAt });
    return { retryAt, isNew: known === undefined };
  }

  #spentAt(now: number): number {
    return Math.max(0, this.#spent.milliseconds - (now - this.#spent.at) * share);
  }
}
