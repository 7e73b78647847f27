import type { StoredEntry } from "../../core/directory/entry.ts";
import { sameEntry } from "../../core/directory/same-entry.ts";
import type { Schema } from "../../core/directory/schema.ts";
import type { Clock } from "../../ports/clock.ts";
import type { KnownEntry } from "../../ports/directory.ts";
import type { Delivered } from "./delivered.ts";
import type { LeftNames } from "./left-names.ts";
import { entriesNaming } from "./naming.ts";
import { ReadAgain } from "./read-again.ts";
import { search } from "./requests.ts";
import { answers, ResultError, readResult, refuseAnswer } from "./result.ts";
import type { SubtreeParts } from "./subtree.ts";
import { sendSyncSearch } from "./sync-search.ts";
import type { Message } from "./wire.ts";

/** The most entries that a search reads one by one; for more, the whole directory is read. */
const most = 1_000;

/**
 * The number of entries that are read concurrently: slapd closes the connection of a reader with more than 100 pending
 * requests.
 */
const together = 10;

/** The most entries of one change. */
const portion = 100;

/** The least time between two searches, in milliseconds, and as a multiple of the duration of the last one. */
const pause = { least: 2_000, times: 20, afterWhole: 60_000 };

/** The interval between two checks for a due search, in milliseconds. */
const step = 1_000;

export interface UnreportedParts extends SubtreeParts {
  readonly delivered: Delivered;
  readonly left: LeftNames;
  /** The server's schema, by which names are compared. */
  readonly schema: Schema;
  readonly known: KnownEntry | undefined;
  readonly clock: Clock;
  /** Aborts at the end of the session. */
  readonly signal: AbortSignal;
  readonly log: (line: string) => void;
}

/**
 * Finds writes of a server that the stream does not have. When an entry is renamed or deleted, slapd's overlay refint
 * replaces its name in the values of others. syncprov does not send these writes, and no entryCSN changes. So the known
 * entries with such a name are read again.
 */
export interface UnreportedWrites {
  /** Notes an entry of the stream with its name. A reading of it that is in progress may be older. */
  noteReported(uuid: string, dn: string): void;
  /** Notes a removed entry of the stream, with its name if the server has sent it. */
  noteRemoved(uuid: string, dn?: string): void;
  /**
   * Takes a message that is not of the stream. All earlier changes of the stream must be known by now. Returns the entries
   * that differ from the known ones, under their known names: only the stream changes names.
   */
  take(message: Message): Promise<readonly StoredEntry[]>;
}

interface Reading {
  readonly uuid: string;
  readonly dn: string;
  found?: StoredEntry;
  overtaken?: boolean;
}

/** Makes the searches of a session. It begins with the due ones of the last session. */
export function unreportedWrites(parts: UnreportedParts): UnreportedWrites {
  const { connection, wanted, read, delivered, left, schema, known, clock, signal, log } = parts;
  const readings = new Map<number, Reading>(); // by the message number of their search
  const found = new Map<string, StoredEntry>();
  let toRead: string[] = [];
  let waiting = false;
  let question: number | undefined;

  /**
   * Waits until a search is due, then sends a request. When it is answered, all earlier changes of the stream are
   * taken.
   */
  async function wait(): Promise<void> {
    if (waiting || !left.waiting) return;
    waiting = true;
    while (!left.due) {
      await clock.sleep(step, signal);
      if (signal.aborted) return;
    }
    const nothing = { filter: "(objectClass=*)", attributes: ["1.1"] };
    question = connection.send(search({ base: wanted.base, scope: "base", ...nothing }));
  }

  async function look(): Promise<void> {
    const started = clock.monotonic();
    const entries = await entriesNaming(left.take(), allHeld(), most, schema);
    left.rest(Math.max(pause.least, pause.times * (clock.monotonic() - started)));
    if (entries.length > most) {
      left.rest(pause.afterWhole);
      throw new ReadAgain(`more than ${most} entries have names of renamed or deleted entries`);
    }
    toRead = entries.map(({ uuid }) => uuid);
    readOn();
  }

  function* allHeld(): Generator<StoredEntry> {
    for (const uuid of delivered.uuids()) {
      const entry = known?.(uuid);
      if (entry) yield entry;
    }
  }

  function readOn(): void {
    while (readings.size < together) {
      const uuid = toRead.pop();
      if (uuid === undefined) break;
      const dn = known?.(uuid)?.dn;
      if (dn !== undefined) readings.set(sendSyncSearch(connection, wanted, dn, "refreshOnly", "base"), { uuid, dn });
    }
    if (readings.size > 0) return;
    waiting = false;
    void wait();
  }

  /** Compares a reading of an entry with the known one. A later change is in the stream. */
  function takeReading({ uuid, dn, found: entry, overtaken }: Reading, end: Message): void {
    try {
      readResult(end.body);
    } catch (error) {
      if (!(error instanceof ResultError)) throw error;
      if (error.code !== 32) log(`the directory: ${dn} cannot be read again: result ${error.code}: ${error.message}`);
      return;
    }
    if (overtaken) return;
    // The entry no longer matches the filter, or is hidden: only a reading of the whole directory shows which.
    if (!entry) throw new ReadAgain(`${dn} is not shown any more`);
    if (entry.uuid === uuid) found.set(uuid, entry);
  }

  function overtake(uuid: string): void {
    found.delete(uuid);
    for (const reading of readings.values()) if (reading.uuid === uuid) reading.overtaken = true;
  }

  function different(): StoredEntry[] {
    const entries: StoredEntry[] = [];
    for (const [uuid, { attributes }] of found) {
      const before = known?.(uuid);
      const after = before && { uuid, dn: before.dn, attributes };
      if (after && !sameEntry(before, after)) entries.push(after);
    }
    found.clear();
    return entries;
  }

  function leaves(dn: string | undefined): void {
    if (dn === undefined || !known) return;
    left.add(dn, schema);
    void wait();
  }

  void wait();
  return {
    noteReported(uuid, dn) {
      overtake(uuid);
      const before = known?.(uuid)?.dn;
      if (before !== dn) leaves(before);
    },
    noteRemoved(uuid, dn) {
      overtake(uuid);
      leaves(known?.(uuid)?.dn);
      leaves(dn);
    },
    async take(message) {
      const isEnd = message.operation === answers.done;
      if (isEnd && message.id === question) {
        question = undefined;
        await look();
        return [];
      }
      const reading = readings.get(message.id);
      if (!reading) return [];
      if (message.operation === answers.entry) reading.found = read(message).entry;
      else if (isEnd) {
        readings.delete(message.id);
        takeReading(reading, message);
        readOn();
        if (found.size >= portion || readings.size === 0) return different();
      } else if (message.operation !== answers.intermediate && message.operation !== answers.reference) {
        refuseAnswer(message);
      }
      return [];
    },
  };
}
