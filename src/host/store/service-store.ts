import type { DatabaseSync } from "node:sqlite";
import type { Table } from "../../core/service/service.ts";
import { throwDamage } from "../../sqlite/integrity.ts";
import { orderFullRun, readFacts, type ServiceFacts, writeFacts } from "./facts.ts";
import { type Ledger, ledgerOf } from "./ledger.ts";
import { type StoredMessages, storedMessages } from "./messages.ts";
import { type Notes, notesOf } from "./notes.ts";
import { type Records, recordsOf } from "./owned.ts";
import { type Removals, removalsOf } from "./removals.ts";
import { type StoredRows, storedRows } from "./rows.ts";
import { type RowsSeen, rowsSeen } from "./rows-seen.ts";
import { type RunInputs, runInputsOf } from "./run-input.ts";
import { type SecondChances, secondChancesOf } from "./second-chances.ts";
import { type UnitStarts, unitStartsOf } from "./unit-starts.ts";
import { type Untrusted, untrustedOf } from "./untrusted.ts";
import { type Verifications, verificationsOf } from "./verified.ts";
import { type WaveWait, waveWaitOf } from "./wave-wait.ts";

/**
 * The facts of a service as they were last read or written. They are read again after a transaction that was rolled
 * back.
 */
export interface LatestFacts {
  known: { readonly facts: ServiceFacts | undefined } | undefined;
}

/**
 * The part of one service in its host's store. A method's effect is durable when it returns, or with the transaction
 * around it.
 */
export class ServiceStore {
  readonly name: string;
  readonly messages: StoredMessages;
  readonly seen: RowsSeen;
  readonly runs: RunInputs;
  readonly removals: Removals;
  readonly records: Records;
  readonly ledger: Ledger;
  readonly starts: UnitStarts;
  readonly notes: Notes;
  readonly chances: SecondChances;
  readonly verified: Verifications;
  readonly waveWait: WaveWait;
  readonly untrusted: Untrusted;
  readonly #database: DatabaseSync;
  readonly #latest: LatestFacts;
  readonly #transaction: <T>(work: () => T) => T;

  constructor(
    database: DatabaseSync,
    name: string,
    { latest, transaction }: { latest: LatestFacts; transaction: <T>(work: () => T) => T },
  ) {
    this.name = name;
    this.messages = storedMessages(database, name);
    this.seen = rowsSeen(database, name);
    this.runs = runInputsOf(database, name);
    this.removals = removalsOf(database, name);
    this.records = recordsOf(database, name);
    this.ledger = ledgerOf(database, name);
    this.starts = unitStartsOf(database, name);
    this.notes = notesOf(database, name);
    this.chances = secondChancesOf(database, name);
    this.verified = verificationsOf(database, name);
    this.waveWait = waveWaitOf(database, name);
    this.untrusted = untrustedOf(database, name);
    this.#database = database;
    this.#latest = latest;
    this.#transaction = transaction;
  }

  /** Runs work in one transaction of the store, or as a part of the open one; a throw rolls everything back. */
  transaction<T>(work: () => T): T {
    return this.#transaction(work);
  }

  /**
   * The facts as they were last read or written, since one process alone writes them. Undefined if the store does not
   * know the service.
   */
  get facts(): ServiceFacts | undefined {
    return this.#latest.known ? this.#latest.known.facts : this.readFacts();
  }

  /** Reads the facts from the disk, as the loop does before it decides that a run is due. */
  readFacts(): ServiceFacts | undefined {
    return this.#keep(readFacts(this.#database, this.name));
  }

  /** Writes some facts, and returns all of them. */
  write(facts: Partial<ServiceFacts>): ServiceFacts {
    return this.#keep(writeFacts(this.#database, this.name, facts));
  }

  /** Orders a full run, in addition to those already ordered. */
  orderFullRun(): ServiceFacts {
    return this.#keep(orderFullRun(this.#database, this.name));
  }

  /** Opens the rows of a table, with their digest. */
  rows(table: Table): StoredRows {
    return storedRows(this.#database, this.name, table);
  }

  /** Throws an error again; as `Unusable` if the store turns out to be damaged. */
  rethrow(error: unknown): never {
    return throwDamage(this.#database, error);
  }

  #keep<Facts extends ServiceFacts | undefined>(facts: Facts): Facts {
    this.#latest.known = { facts };
    return facts;
  }
}
