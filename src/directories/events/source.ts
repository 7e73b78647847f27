import type { DatabaseSync } from "node:sqlite";
import type { StoredEntry } from "../../core/directory/entry.ts";
import { version } from "../../core/util/version.ts";
import type { Clock } from "../../ports/clock.ts";
import type { EventDirectory, EventMessage, KnownEntry, SourceChange } from "../../ports/directory.ts";
import { fileIdentity } from "../../sqlite/lock.ts";
import { migrate, mustBeCurrent } from "../../sqlite/migrate.ts";
import { retryWhileBusy, transaction } from "../../sqlite/open.ts";
import { csnAfter } from "../csn.ts";
import { wakeOf } from "../ldif/wake.ts";
import { storedContent, updatePaths } from "./content.ts";
import { journal } from "./journal.ts";
import { eventSchema, readStanding, writeStanding } from "./schema.ts";
import { standing, takeAll } from "./take.ts";

export interface EventDirectoryOptions {
  /** The database of the directory alone. Its loss is the loss of the directory. */
  readonly database: DatabaseSync;
  readonly clock: Clock;
  /** The interval between two checks for a seed by another process, in milliseconds. */
  readonly every?: number;
}

const partial =
  "its content is not known: it was never seeded, or its store was lost. Tables stay unchanged until `trigger seed FILE.ldif`";

/** A follower, with its undelivered changes. */
interface Follower {
  waiting: SourceChange[];
  /** True if the follower is to get the whole content next. */
  refreshRequested: boolean;
  call(): void;
  readonly known: KnownEntry | undefined;
}

/**
 * A directory on disk that is made of events. Before its first seed, and after the loss of its store, it delivers
 * trouble and no content: an empty mirror would empty the tables.
 */
export function eventDirectory({ database, clock, every = 1000 }: EventDirectoryOptions): EventDirectory {
  prepare(database, clock.now());
  const store = { database, content: storedContent(database), journal: journal(database) };
  const followers = new Set<Follower>();
  const file = database.location();
  const identity = file && fileIdentity(file);
  let version = dataVersion(database);

  /**
   * Throws if the file was deleted or replaced: its changes would be lost with the process, and no seed would reach it.
   */
  function mustBeInPlace(): void {
    if (file && fileIdentity(file) !== identity) {
      throw new Error(
        `${file} was deleted or replaced while it was open: start this host again, then \`trigger seed FILE.ldif\``,
      );
    }
  }

  function ask(): void {
    for (const follower of followers) {
      follower.refreshRequested = true;
      follower.call();
    }
  }

  /** Detects a seed that another process has written. */
  function look(): void {
    mustBeInPlace();
    const found = dataVersion(database);
    if (found !== version) ask();
    version = found;
  }

  function how(known: KnownEntry | undefined): SourceChange {
    return snapshot(database, () => {
      const { state, complete } = standing(store);
      if (!complete) return { kind: "trouble", why: partial };
      return { kind: "refresh", entries: store.content.all(known), state: [state] };
    });
  }

  function next(follower: Follower): SourceChange | undefined {
    look();
    if (!follower.refreshRequested) return follower.waiting.shift();
    // All undelivered changes are in the content that is read now.
    Object.assign(follower, { refreshRequested: false, waiting: [] });
    return how(follower.known);
  }

  async function* changes(signal: AbortSignal, known?: KnownEntry): AsyncGenerator<SourceChange> {
    const wake = wakeOf(clock, signal);
    const follower: Follower = { waiting: [], refreshRequested: true, call: wake.call, known };
    followers.add(follower);
    try {
      for (; !signal.aborted; await wake.wait(every)) {
        for (let change = next(follower); change && !signal.aborted; change = next(follower)) yield change;
      }
    } finally {
      followers.delete(follower);
      wake.close();
    }
  }

  function takeDurably(messages: readonly EventMessage[]) {
    mustBeInPlace();
    try {
      return transaction(database, () => {
        takeAll(store, messages, clock.now());
        return { kind: "change", ...store.content.changed(), state: [standing(store).state] } as const;
      });
    } catch (error) {
      store.content.forget();
      throw error;
    }
  }

  return {
    changes,
    refresh: ask,
    async take(messages, signal) {
      const change = await retryWhileBusy(() => takeDurably(messages), signal);
      if (change.put.length + change.removed.length === 0) return;
      for (const follower of followers) {
        follower.waiting.push(change);
        follower.call();
      }
    },
    aside: store.journal.aside,
  };
}

/** The content of a directory made of events; undefined before its first seed. */
export function readEventContent(database: DatabaseSync): StoredEntry[] | undefined {
  mustBeCurrent(database, eventSchema, version);
  const store = { database, content: storedContent(database), journal: journal(database) };
  return standing(store).complete ? store.content.all() : undefined;
}

/** Makes the tables of a directory made of events if they are missing. It is partial until its first seed. */
export function prepare(database: DatabaseSync, now: number): void {
  const first = { state: csnAfter(undefined, now), complete: false, keptSince: now };
  migrate(database, eventSchema, version);
  transaction(database, () => {
    if (!readStanding(database)) writeStanding(database, first);
    updatePaths(database);
  });
}

/** A number that changes when another connection writes to the database. */
const dataVersion = (database: DatabaseSync): unknown => database.prepare("PRAGMA data_version").get()?.data_version;

/** Reads as of one moment, also while another process writes. */
function snapshot<T>(database: DatabaseSync, read: () => T): T {
  database.exec("BEGIN");
  try {
    return read();
  } finally {
    database.exec("COMMIT");
  }
}
