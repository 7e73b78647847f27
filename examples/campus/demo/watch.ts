import type { DatabaseSync } from "node:sqlite";
import { eventService } from "../../../src/core/stream/routing.ts";
import { ownedFile, storeFile } from "../../../src/daemon/store-file.ts";
import { serviceReport } from "../../../src/host/report/report.ts";
import { hostStore } from "../../../src/host/store/host-store.ts";
import { attachOwnedToRead } from "../../../src/host/store/owned.ts";
import type { Project } from "../../../src/project/project.ts";
import { openDatabase } from "../../../src/sqlite/open.ts";

/** The applied rows of the hosts, read from their stores, as `trigger status` reads them. */

/** A service on a host. */
export interface Place {
  readonly host: string;
  readonly service: string;
  /**
   * The time of its last successful run, milliseconds since 1970; undefined before the first, or while a row is
   * pending.
   */
  loadedAt(): number | undefined;
  /** The applied rows by key: the input of the last successful run. */
  rows(): ReadonlyMap<string, string>;
  /** The reasons of the retained rows, by key. */
  kept(): ReadonlyMap<string, string>;
  /** The reason why the service makes no progress; undefined if it does. */
  trouble(): string | undefined;
}

/** Every service on every host of a project, except for the transcriber's. */
export function openPlaces(project: Project): Place[] {
  return [...project.config.hosts].flatMap(([host, services]) => {
    const database = openDatabase(storeFile(project.state, host), { readOnly: true });
    attachOwnedToRead(database, ownedFile(project.state, host));
    return services.filter((service) => service !== eventService).map((service) => openPlace(database, host, service));
  });
}

function openPlace(database: DatabaseSync, host: string, service: string): Place {
  const pending = database.prepare("SELECT 1 FROM row WHERE service = ? AND pending = 1 LIMIT 1");
  const life = database.prepare("SELECT full, ran_at FROM service WHERE name = ?");
  const rows = database.prepare("SELECT key, applied FROM row WHERE service = ? AND applied IS NOT NULL");
  const report = () => serviceReport(hostStore(database).service(service));
  return {
    host,
    service,
    loadedAt() {
      const { full, ran_at: at } = life.get(service) ?? {};
      return full !== 0 || typeof at !== "number" || pending.get(service) ? undefined : at;
    },
    rows: () => new Map(rows.all(service).map(({ key, applied }) => [String(key), String(applied)])),
    kept: () => new Map(report().refused.map(({ key, why }) => [key, why])),
    trouble: () => report().why,
  };
}

/** The numbers of rows that were added, changed and removed between two looks. */
export interface Moved {
  readonly came: number;
  readonly changed: number;
  readonly left: number;
}

export function movedBetween(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): Moved {
  const came = [...after.keys()].filter((key) => !before.has(key)).length;
  const left = [...before.keys()].filter((key) => !after.has(key)).length;
  const changed = [...after].filter(([key, row]) => before.has(key) && before.get(key) !== row).length;
  return { came, changed, left };
}

export const sum = ({ came, changed, left }: Moved): number => came + changed + left;
