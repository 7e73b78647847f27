import type { DatabaseSync } from "node:sqlite";
import { throwDamage } from "../../sqlite/integrity.ts";
import { transaction } from "../../sqlite/open.ts";
import { type Audit, auditOf } from "./audit.ts";
import { knownServices } from "./facts.ts";
import { forgetService, type LeftThere, leftBy } from "./forget.ts";
import { prepared } from "./prepared.ts";
import { type LatestFacts, ServiceStore } from "./service-store.ts";
import { type TranscriberNotes, transcriberNotesOf } from "./transcriber-notes.ts";

/** The present process of a host. */
export interface Life {
  /** The trouble of its broker connection; undefined if there is none. */
  readonly trouble: string | undefined;
  /** The start of the process, milliseconds since 1970. */
  readonly since: number | undefined;
}

/** The opened store of one host: everything that it keeps on its disk. One process writes it. */
export class HostStore {
  /** The notes of the transcriber of this host, if it has one. */
  readonly transcriber: TranscriberNotes;
  /** The orders of persons. */
  readonly audit: Audit;
  readonly #database: DatabaseSync;
  readonly #services = new Map<string, { readonly store: ServiceStore; readonly latest: LatestFacts }>();

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.transcriber = transcriberNotesOf(database);
    this.audit = auditOf(database);
  }

  /** The part of one service; the same object each time. */
  service(name: string): ServiceStore {
    const known = this.#services.get(name);
    if (known) return known.store;
    const latest: LatestFacts = { known: undefined };
    const store = new ServiceStore(this.#database, name, { latest, transaction: (work) => this.#transaction(work) });
    this.#services.set(name, { store, latest });
    return store;
  }

  /** Runs work in one transaction of the store, or as a part of the open one; a throw rolls everything back. */
  transaction<T>(work: () => T): T {
    return this.#transaction(work);
  }

  /** The services that the store knows, with those that the config no longer has. */
  services(): string[] {
    return knownServices(this.#database);
  }

  /** Notes the start of a process, and forgets the waits of the earlier one. */
  beginLife(host: string, pid: number, now: number): void {
    // Services that no longer wait may have left them.
    this.#database.exec("DELETE FROM wave");
    prepared(
      this.#database,
      `INSERT INTO life (one, host, pid, since) VALUES (1, ?, ?, ?)
       ON CONFLICT (one) DO UPDATE SET host = excluded.host, pid = excluded.pid, since = excluded.since, trouble = NULL`,
    ).run(host, pid, now);
  }

  /** Notes the trouble of the broker connection; undefined for none. */
  noteTrouble(trouble: string | undefined): void {
    const text = "UPDATE life SET trouble = ? WHERE trouble IS NOT ?";
    prepared(this.#database, text).run(trouble ?? null, trouble ?? null);
  }

  life(): Life {
    const found = prepared(this.#database, "SELECT trouble, since FROM life").get();
    return {
      trouble: typeof found?.trouble === "string" ? found.trouble : undefined,
      since: typeof found?.since === "number" ? found.since : undefined,
    };
  }

  /** The remains of a service that its host no longer runs; undefined if the store does not know it. */
  leftBy(service: string): LeftThere | undefined {
    return leftBy(this.#database, service);
  }

  /** Removes all data of a service. */
  forget(service: string): void {
    this.#services.delete(service);
    forgetService(this.#database, service);
  }

  /** Throws an error again; as `Unusable` if the store turns out to be damaged. */
  rethrow(error: unknown): never {
    return throwDamage(this.#database, error);
  }

  close(): void {
    this.#database.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #transaction<T>(work: () => T): T {
    try {
      return transaction(this.#database, work);
    } catch (error) {
      for (const { latest } of this.#services.values()) latest.known = undefined;
      throw error;
    }
  }
}

const opened = new WeakMap<DatabaseSync, HostStore>();

/** The store in a database that has its tables; one object for each opened database. */
export function hostStore(database: DatabaseSync): HostStore {
  const known = opened.get(database);
  if (known) return known;
  const store = new HostStore(database);
  opened.set(database, store);
  return store;
}
