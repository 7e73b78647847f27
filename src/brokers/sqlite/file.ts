import { statSync } from "node:fs";
import { reason } from "../../core/util/errors.ts";
import { isBroken } from "../../sqlite/integrity.ts";
import { fileIdentity } from "../../sqlite/lock.ts";
import { isBusy, pauseBeforeRetry, transaction } from "../../sqlite/open.ts";
import { type Opened, openFile, type Suspect } from "./open.ts";
import type { Statements } from "./schema.ts";

/** The file of a broker through everything that may happen to it: other writers, a full disk, damage, replacement. */
export interface BrokerFile {
  /** Counts the openings: what was learnt in an earlier life (ids, cursors) says nothing about the file of this one. */
  readonly life: number;
  /** Runs work, synchronously, in one transaction. One that is not durable survives every death of a process, but not a power cut. */
  write<T>(work: Work<T>, options?: { durable?: boolean }): Promise<T>;
  read<T>(work: Work<T>): Promise<T>;
  /** To be called now and then: notices a file that was replaced, a disk that is well again, and a log that grows. */
  check(): Promise<void>;
  trouble(): string | undefined;
  close(): void;
}

/** Work may be run again, in another life of the file. */
export type Work<T> = (statements: Statements, life: number) => T;

interface Options {
  readonly lockFile: string;
  readonly log: (line: string) => void;
  /** Brings what must be in the file in every new life. */
  readonly begin: (statements: Statements) => void;
  /** Milliseconds after which work that meets nothing but other writers is given up. */
  readonly busyLimit: number;
}

/** A log above this size is emptied into the file and cut off (bytes). */
const logLimit = 8 * 1024 * 1024;

/** The number of new files that damage gets before it is an error: the disk is then at fault. */
const renewals = 3;

/** Keeps a broker's file open; it is opened at the first work. What it cannot mend it throws, logs once and says in `trouble`. */
export function brokerFile(file: string, { lockFile, log, begin, busyLimit }: Options): BrokerFile {
  let opened: Opened | undefined;
  let suspect: Suspect | undefined;
  let life = 0;
  let durable = true;
  let failure: string | undefined;
  /** One try at a time while another process writes: each stops the event loop for a moment, and there may be many who wait. */
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

  /** True if the path now names another file than the open one. */
  const replaced = (): boolean => opened !== undefined && fileIdentity(file) !== opened.identity;

  async function use<T>(work: (opened: Opened) => T): Promise<T> {
    const start = performance.now();
    for (let broken = 0; ; ) {
      while (pause) await pause;
      if (closed) throw new Error(`the broker of ${file} is closed`);
      try {
        const result = work(opened ?? open());
        busy = 0;
        // A file that was replaced meanwhile has swallowed the work: it is done again in the one that counts.
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
    failure = undefined; // a read that succeeds says nothing of a disk that is full
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

/** Another process is opening or replacing the file. */
class AnotherOpens extends Error {
  override name = "AnotherOpens";
}
