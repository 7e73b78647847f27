import type { DatabaseSync } from "node:sqlite";
import { prepared } from "./prepared.ts";

/** The limit of a unit: a number of starts within an interval in milliseconds. */
export interface StartLimit {
  readonly burst: number;
  readonly interval: number;
}

/** The starts of units that the services of a host cause. systemd counts them by unit, for all services together. */
export interface UnitStarts {
  /** Notes a start of a unit, before it happens. */
  note(unit: string, now: number, limit: StartLimit): void;
  /** The milliseconds until a unit may be started by one more run. */
  restOf(unit: string, now: number): number;
  /** The milliseconds until this service may run again. */
  rest(now: number): number;
}

/** The starts of a unit by one run: one with the new text, one with the last good one. */
const startsOfOneRun = 2;

/** Opens the starts of units for a service. */
export function unitStartsOf(database: DatabaseSync, service: string): UnitStarts {
  function restOf(unit: string, now: number): number {
    const text = "SELECT until, burst FROM unit_start WHERE unit = ? AND until > ? AND at <= ? ORDER BY until";
    const starts = prepared(database, text).all(unit, now, now);
    const room = Math.max(0, Number(starts.at(-1)?.burst ?? 0) - startsOfOneRun);
    const last = starts[starts.length - room - 1];
    return last === undefined ? 0 : Number(last.until) - now;
  }
  return {
    note(unit, now, { burst, interval }) {
      // After a clock was set back, starts in the future have no meaning.
      prepared(database, "DELETE FROM unit_start WHERE unit = ? AND (until <= ? OR at > ?)").run(unit, now, now);
      if (burst === 0 || interval === 0) return;
      const text = "INSERT INTO unit_start (service, unit, at, until, burst) VALUES (?, ?, ?, ?, ?)";
      prepared(database, text).run(service, unit, now, now + interval, burst);
    },
    restOf,
    rest(now) {
      const own = prepared(database, "SELECT DISTINCT unit FROM unit_start WHERE service = ?").all(service);
      return Math.max(0, ...own.map(({ unit }) => restOf(String(unit), now)));
    },
  };
}
