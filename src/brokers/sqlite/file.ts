import { statSync } from "node:fs";
import { reason } from "../../core/util/errors.ts";
import { isBroken } from "../../sqlite/integrity.ts";
import { fileIdentity } from "../../sqlite/lock.ts";
import { isBusy, pauseBeforeRetry, transaction } from "../../sqlite/open.ts";
import { type Opened, openFile, type Suspect } from "./open.ts";
import type { Statements } from "./schema.ts";

/** The file of a broker. It handles other writers, a full disk, damage and replacement of the file. */
export interface BrokerFile {
  /** The number of openings. Ids and cursors of an earlier life are not valid in this one. */
  readonly life: number;
  /**
   * Runs work, synchronously, in one transaction. Without `durable` it survives a crash of the process, not a power
   * cut.
   */
  write<T>(work: Work<T>, options?: { durable?: boolean }): Promise<T>;
  read<T>(work: Work<T>): Promise<T>;
  /** Checks for a replaced file, a disk that works again, and a large log. It must be called regularly. */
  check(): Promise<void>;
  trouble(): string | undefined;
  close(): void;
}

/** Work in a transaction. It may run again, in another life of the file. */
export type Work<T> = (statements: Statements, life: number) => T;

interface Options {
  readonly lockFile: string;
  readonly log: (line: string) => void;
  /** Declares what every new life of the file must have. */
  readonly begin: (statements: Statements) => void;
  /** The time after which work is abandoned if other writers keep the file locked, in milliseconds. */
  readonly busyLimit: number;
}

/** The size of the log, in bytes, above which it is checkpointed into the file and truncated. */
const logLimit = 8 * 1024 * 1024;

/** The number of times that a damaged file is replaced. After that damage is an error, as the disk is at fault. */
const renewals = 3;

/**
 * Keeps a broker's file open from the first work on. A fault that it cannot repair is thrown, logged once, and in
 * `trouble`.
 */
export function brokerFile(file: string, { lockFile, log, begin, busyLimit }: Options): BrokerFile {
  let opened: Opened | undefined;
  let suspect: Suspect | undefined;
  let life = 0;
  let durable = true;
  let failure: string | undefined;
  /**
   * The pause between tries while another process writes. All work shares it, as each try blocks the event loop for a
   * moment.
   */
  let pause: Promise<void> | undefined;
  let busy = 0;
  let closed = false;

  function open(): Opened {
    opened = openFile(file, { lockFile, log, begin, suspect });
    if (!opened) throw new AnotherOpens();
    suspect = undefined;
    durable = true;
    life++;
    return opened;
  }

  function forget(): void {
    opened?.database.close();
    opened = undefined;
  }

  /** True if the path names another file than the open one. */
  const replaced = (): boolean => opened !== undefined && fileIdentity(file) !== opened.identity;

  async function use<T>(work: (opened: Opened) => T): Promise<T> {
    const start = performance.now();
    for (let broken = 0; ; ) {
      while (pause) await pause;
      if (closed) throw new Error(`the broker of ${file} is closed`);
      try {
        const result = work(opened ?? open());
        busy = 0;
        // The work is lost in a file that was replaced meanwhile: it is done again in the present one.
        if (!replaced()) return result;
        log(`the broker file ${file} was replaced or deleted: opened again`);
        forget();
      } catch (error) {
        if (isBusy(error) || error instanceof AnotherOpens) {
          const elapsed = performance.now() - start;
          const long = new Error(`another process has been writing for ${Math.floor(elapsed / 1_000)} s`, {
            cause: error,
          });
          if (elapsed > busyLimit) throw failed(long);
          if (elapsed > 1_000) failure = `${file}: ${long.message}`;
          pause = pauseBeforeRetry(++busy).finally(() => {
            pause = undefined;
          });
        } else if (isBroken(error, file) && ++broken <= renewals) {
          suspect = { identity: opened?.identity, error };
          forget();
        } else {
          throw failed(error);
        }
      }
    }
  }

  function failed(error: unknown): Error {
    const thrown = new Error(`the broker file ${file} cannot be used now`, { cause: error });
    if (failure !== reason(thrown)) log(reason(thrown));
    failure = reason(thrown);
    return thrown;
  }

  const inTransaction = <T>(now: Opened, work: Work<T>, wanted: boolean): T => {
    if (wanted !== durable) now.database.exec(`PRAGMA synchronous = ${wanted ? "FULL" : "NORMAL"}`);
    durable = wanted;
    const result = transaction(now.database, () => work(now.statements, life));
    failure = undefined; // a successful read does not show that a full disk has room again
    return result;
  };

  return {
    get life() {
      return life;
    },
    write: (work, { durable: wanted = true } = {}) => use((now) => inTransaction(now, work, wanted)),
    read: (work) => use((now) => work(now.statements, life)),
    check: () =>
      use(({ database }) => {
        // Writing the number of the application, which is 0, changes nothing, and shows whether the disk takes writes again.
        if (failure) database.exec("PRAGMA application_id = 0");
        const written = statSync(`${file}-wal`, { throwIfNoEntry: false });
        if (written && written.size > logLimit) database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
        failure = undefined;
      }),
    trouble: () => failure,
    close() {
      closed = true;
      forget();
    },
  };
}

/** The error while another process opens or replaces the file. */
class AnotherOpens extends Error {
  override name = "AnotherOpens";
}
