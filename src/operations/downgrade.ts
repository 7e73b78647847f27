import { statSync } from "node:fs";
import { brokerSchema } from "../brokers/sqlite/schema.ts";
import { transcribersOf } from "../core/config/config.ts";
import { reason, UserError } from "../core/util/errors.ts";
import { brokerFile, directoryFile, hostsHere, isThere, lockFile, ownedFile, storeFile } from "../daemon/store-file.ts";
import { eventSchema } from "../directories/events/schema.ts";
import { ownedSchema, storeSchema } from "../host/store/schema.ts";
import type { Project } from "../project/project.ts";
import { type CopyBefore, copiesBefore, putBack } from "../sqlite/copy-before.ts";
import { checkIntegrity } from "../sqlite/integrity.ts";
import { takeLock } from "../sqlite/lock.ts";
import { type Schema, type Version, versionOf } from "../sqlite/migrate.ts";
import { openDatabase } from "../sqlite/open.ts";

/** A file of the state that a newer program has migrated, and its earlier copy, which this program can read. */
export interface NewerFile {
  readonly file: string;
  readonly holds: "store" | "owned" | "directory" | "broker";
  /** The newer program and its version of the tables. */
  readonly written: Version;
  readonly copy: CopyBefore;
  /** The time at which the copy was made, in milliseconds since 1970. */
  readonly copied: number;
}

/** The files on this machine that are newer than this program. Throws a `UserError` for one without a copy that this program can read. */
export function newerFiles({ config, state }: Project): NewerFile[] {
  const hosts = [...config.hosts.keys()];
  const files: readonly (readonly [string, NewerFile["holds"], Schema])[] = [
    ...hosts.map((host) => [storeFile(state, host), "store", storeSchema] as const),
    ...hosts.map((host) => [ownedFile(state, host), "owned", ownedSchema] as const),
    ...transcribersOf(config).map((host) => [directoryFile(state, host), "directory", eventSchema] as const),
    [brokerFile(state), "broker", brokerSchema],
  ];
  return files.flatMap(([file, holds, { migrations }]) => {
    const written = isThere(file) ? versionIn(file) : undefined;
    if (!written || written.number <= migrations.length) return [];
    const copy = copiesBefore(file).find(({ version }) => version <= migrations.length);
    if (!copy) {
      throw new UserError(
        `${file} was written by trigger ${written.program}, and no earlier copy lies beside it: install ${written.program} again`,
      );
    }
    mustBeSound(copy, written);
    return [{ file, holds, written, copy, copied: statSync(copy.file).mtimeMs }];
  });
}

/** Puts the copies back, and returns the new path of each newer file. Throws a `UserError`, and changes nothing, while a host of this machine is up. */
export function downgrade({ config, state }: Project, files: readonly NewerFile[]): string[] {
  const locks = hostsHere(state, [...config.hosts.keys()]).map((host) => ({
    host,
    lock: takeLock(lockFile(state, host)),
  }));
  try {
    const up = locks.find(({ lock }) => !lock);
    if (up) throw new UserError(`${up.host} is up on this machine: stop it first`);
    return putBack(files.map(({ file, copy, written }) => ({ file, copy, found: written.number })));
  } finally {
    for (const { lock } of locks) lock?.release();
  }
}

/** Throws a `UserError` for a copy that is damaged: an older program would set it aside, with all the holds in it. */
function mustBeSound({ file, version }: CopyBefore, { program }: Version): void {
  const wrong = wrongIn(file, version);
  if (wrong !== undefined) throw new UserError(`${file} cannot be put back (${wrong}): install ${program} again`);
}

function wrongIn(file: string, version: number): string | undefined {
  try {
    using database = openDatabase(file, { readOnly: true });
    checkIntegrity(database);
    const { number } = versionOf(database);
    return number === version ? undefined : `its version is ${number}`;
  } catch (error) {
    return reason(error);
  }
}

function versionIn(file: string): Version {
  const database = openDatabase(file, { readOnly: true });
  try {
    return versionOf(database);
  } finally {
    database.close();
  }
}
