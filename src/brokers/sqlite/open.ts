import type { DatabaseSync } from "node:sqlite";
import { version } from "../../core/util/version.ts";
import { fileIdentity, takeLock } from "../../sqlite/lock.ts";
import { migrate } from "../../sqlite/migrate.ts";
import { transaction } from "../../sqlite/open.ts";
import { openIntact } from "../../sqlite/open-intact.ts";
import { brokerSchema, prepareAll, type Statements } from "./schema.ts";

/** An open file of a broker. */
export interface Opened {
  readonly database: DatabaseSync;
  readonly statements: Statements;
  /** The identity of the open file, even if it was renamed. */
  readonly identity: string | undefined;
}

/** A file that was found damaged while it was open, with the error that showed it. */
export interface Suspect {
  readonly identity: string | undefined;
  readonly error: Error;
}

interface Options {
  readonly lockFile: string;
  readonly log: (line: string) => void;
  /** Declares what every file must have, in the transaction that opens it. */
  readonly begin: (statements: Statements) => void;
  readonly suspect: Suspect | undefined;
}

/**
 * Opens a broker's file, or makes it. A damaged file is set aside and replaced by a new one, which is logged.
 * Returns undefined while another process opens the file: two processes never set it aside at once.
 */
export function openFile(file: string, { lockFile, log, begin, suspect }: Options): Opened | undefined {
  const lock = takeLock(lockFile);
  if (!lock) return undefined;
  try {
    const { database, prepared } = openIntact(
      file,
      (opened) => {
        migrate(opened, brokerSchema, version);
        return transaction(opened, () => {
          const statements = prepareAll(opened);
          begin(statements);
          return statements;
        });
      },
      {
        now: Date.now(),
        lost: (line) =>
          log(`the broker file ${file} ${line}; tables repair themselves, plain messages that waited in it are lost`),
        damage: suspect && fileIdentity(file) === suspect.identity ? suspect.error : undefined,
      },
    );
    return { database, statements: prepared, identity: fileIdentity(file) };
  } finally {
    lock.release();
  }
}
