import { createHash } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import type { Owned } from "../../core/service/host-api.ts";
import { transaction } from "../../sqlite/open.ts";
import { prepared } from "./prepared.ts";

/**
 * The records of a shared daemon that a service wrote. A host keeps them in a file of its own, because its store may be
 * deleted without loss. The rows come again from the transcriber. The ownership of a daemon's records is known only
 * here.
 */

/**
 * The time for which a released record is remembered, in milliseconds: 60 days. Few backups are restored at a greater
 * age.
 */
const releasedMemory = 60 * 24 * 60 * 60_000;

/** The name under which the file is attached. */
const attached = "own";

/** Attaches the file of the service's own records to a store; not within a transaction. */
export function attachOwned(database: DatabaseSync, file: string): void {
  prepared(database, `ATTACH ? AS ${attached}`).run(file);
}

/** Attaches that file to a store that is only read; without a file, no record is remembered. */
export function attachOwnedToRead(database: DatabaseSync, file: string | undefined): void {
  if (file !== undefined) attachOwned(database, file);
  else
    database.exec(`CREATE TEMP TABLE owned (service, name, state, record, since);
    CREATE INDEX temp.owned_state ON owned (service, since) WHERE state <> 'ours'`);
}

/** The records and files that belong to one service, and the foreign ones that conflict with it. */
export interface Records {
  /** Opens the service's own records; `now` is the time at which one is claimed or released. */
  owned(now: () => number): Owned;
  /** The names that belong to the service. */
  names(): Set<string>;
  /** Foreign records that conflict with the service: their number and the digest to approve; undefined if none. */
  conflicts(): Conflicts | undefined;
  /**
   * Approves the take-over of the foreign records, if they have this digest now; true if they have. A record that
   * differs at the time of the run is held again.
   */
  approve(digest: string | undefined): boolean;
  /** True if a foreign record of this name conflicts with the service. */
  isHeld(name: string): boolean;
  /** True if a person was asked about a record of this name, even if the answer was an approval. */
  isHeldOrApproved(name: string): boolean;
  /** Forgets a record that was taken over and is known elsewhere from now on. */
  forget(name: string): void;
}

/** Foreign records that conflict with a service. */
export interface Conflicts {
  readonly digest: string;
  readonly count: number;
}

/** Opens the records of a service. */
export const recordsOf = (database: DatabaseSync, service: string): Records => ({
  owned: (now) => ownedBy(database, service, now),
  names: () => ownNames(database, service),
  conflicts: () => heldThings(database, service),
  approve(digest) {
    if (digest === undefined || heldThings(database, service)?.digest !== digest) return false;
    const text =
      "UPDATE owned SET state = iif(record IS NULL, 'ours', 'approved') WHERE service = ? AND state = 'held'";
    prepared(database, text).run(service);
    return true;
  },
  isHeld: (name) => stateOf(database, service, name) === "held",
  isHeldOrApproved: (name) => ["held", "approved"].includes(stateOf(database, service, name)),
  forget(name) {
    prepared(database, "DELETE FROM owned WHERE service = ? AND name = ?").run(service, name);
  },
});

function ownedBy(database: DatabaseSync, service: string, now: () => number): Owned {
  // A full run asks for every record of the daemon.
  const write = prepared(
    database,
    "INSERT OR REPLACE INTO owned (service, name, state, record, since) VALUES (?, ?, ?, ?, ?)",
  );
  const read = prepared(database, "SELECT state, record FROM owned WHERE service = ? AND name = ?");
  const put = (state: string, name: string, record: string | null): void =>
    void write.run(service, name, state, record, now());
  const within = (work: () => void): void => (database.isTransaction ? work() : transaction(database, work));
  return {
    has(name, record) {
      const row = read.get(service, name);
      return row?.state === "ours" || (lasting.includes(String(row?.state)) && row?.record === record);
    },
    names: () => ownNames(database, service),
    claim: (names) =>
      within(() => {
        for (const name of names) put("ours", name, null);
      }),
    release: (records) =>
      within(() => {
        for (const [name, record] of records) put("gone", name, record);
        prepared(
          database,
          "DELETE FROM owned INDEXED BY owned_state WHERE service = ? AND state <> 'ours' AND since < ?",
        ).run(service, now() - releasedMemory);
      }),
    hold: (found) =>
      within(() => {
        for (const [name, record = null] of found) put("held", name, record);
      }),
  };
}

/** The states of a record that belongs to the service only if its content is the remembered one. */
const lasting = ["gone", "approved"];

function heldThings(database: DatabaseSync, service: string): Conflicts | undefined {
  const held = prepared(
    database,
    "SELECT name, record FROM owned INDEXED BY owned_state WHERE service = ? AND state <> 'ours' AND state = 'held' ORDER BY name",
  )
    .all(service)
    .map(({ name, record }) => [name, record]);
  if (held.length === 0) return undefined;
  return { digest: createHash("sha256").update(JSON.stringify(held)).digest("hex").slice(0, 8), count: held.length };
}

const stateOf = (database: DatabaseSync, service: string, name: string): string =>
  String(prepared(database, "SELECT state FROM owned WHERE service = ? AND name = ?").get(service, name)?.state ?? "");

const ownNames = (database: DatabaseSync, service: string): Set<string> =>
  new Set(
    prepared(database, "SELECT name FROM owned WHERE service = ? AND state = 'ours'")
      .all(service)
      .map(({ name }) => String(name)),
  );

/** The own records on a machine where nothing is changed: new claims are not remembered. */
export const dryOwned = (owned: Owned): Owned => {
  const claimed = new Set<string>();
  return {
    has: (name, record) => claimed.has(name) || owned.has(name, record),
    names: () => new Set([...owned.names(), ...claimed]),
    claim(names) {
      for (const name of names) claimed.add(name);
    },
    release: () => {},
    hold: () => {},
  };
};
