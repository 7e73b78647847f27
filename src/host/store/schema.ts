import type { DatabaseSync } from "node:sqlite";
import { version } from "../../core/util/version.ts";
import { migrate, mustBeCurrent, readSchema } from "../../sqlite/migrate.ts";

/** The tables of a host's store, `store.db`. */
export const storeSchema = readSchema(new URL("migrations/", import.meta.url));

/** The tables of `owned.db`, which remembers the records that a host wrote into shared daemons. */
export const ownedSchema = readSchema(new URL("owned-migrations/", import.meta.url));

/** Migrates a host's store to the tables of this program; returns its earlier version, 0 for a new one. */
export const migrateStore = (database: DatabaseSync): number => migrate(database, storeSchema, version);

/** Throws unless a store that is only read has the tables of this program. */
export const storeMustBeCurrent = (database: DatabaseSync): void => mustBeCurrent(database, storeSchema, version);

/** Migrates `owned.db` to the tables of this program, before it is attached to a store. */
export const migrateOwned = (database: DatabaseSync): number => migrate(database, ownedSchema, version);

const inOne = { migrations: [...storeSchema.migrations, ...ownedSchema.migrations] };

/** Creates the tables of both files in one database, for a host that keeps nothing. */
export const createAllTables = (database: DatabaseSync): void => void migrate(database, inOne, version);

/** True if a store has its tables: a store that is being created has none yet. */
export const hasHostTables = (database: DatabaseSync): boolean =>
  database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'life'").get() !== undefined;
