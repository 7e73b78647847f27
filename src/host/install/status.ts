import type { DatabaseSync } from "node:sqlite";
import { prepared } from "../store/prepared.ts";

/** The state of a host's installs, as status shows it. */
export interface InstallStatus {
  /** Paths whose reload is owed. */
  readonly owed: readonly { readonly service: string; readonly path: string }[];
  /** The times at which another writer's text was replaced, in milliseconds since 1970. */
  readonly fights: readonly { readonly service: string; readonly path: string; readonly at: number }[];
  readonly held: readonly { readonly service: string; readonly path: string; readonly why: string }[];
}

export function installStatus(database: DatabaseSync): InstallStatus {
  const owed = prepared(database, "SELECT service, path FROM install_debt ORDER BY path").all();
  const fights = prepared(
    database,
    "SELECT service, path, at FROM install_fight JOIN install_path USING (path) ORDER BY at",
  );
  const held = prepared(
    database,
    "SELECT service, path, held FROM install_path WHERE held IS NOT NULL ORDER BY path",
  ).all();
  const of = (row: Record<string, unknown>) => ({ service: String(row.service), path: String(row.path) });
  return {
    owed: owed.map(of),
    fights: fights.all().map((row) => ({ ...of(row), at: Number(row.at) })),
    held: held.map((row) => ({ ...of(row), why: String(row.held) })),
  };
}
