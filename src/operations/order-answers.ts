import { transcribersOf } from "../core/config/config.ts";
import { isThere, storeFile } from "../daemon/store-file.ts";
import { type AuditEntry, auditOf } from "../host/store/audit.ts";
import { hasHostTables, storeMustBeCurrent } from "../host/store/schema.ts";
import type { Project } from "../project/project.ts";
import { openDatabase, retryWhileBusy } from "../sqlite/open.ts";

/** The hosts of the config whose stores are on this machine. */
export const storesHere = ({ config, state }: Project): string[] =>
  [...config.hosts.keys()].filter((host) => isThere(storeFile(state, host)));

/** The hosts on this machine whose stores hear the answers of all hosts. */
export const transcribersHere = (project: Project): string[] =>
  transcribersOf(project.config).filter((host) => storesHere(project).includes(host));

/** Reads the orders in the stores of some hosts on this machine. Entries that several stores have come several times. */
export async function readAudits(
  { state }: Project,
  hosts: readonly string[],
  signal: AbortSignal,
  read: (audit: ReturnType<typeof auditOf>) => readonly AuditEntry[],
): Promise<AuditEntry[]> {
  const found: AuditEntry[] = [];
  for (const host of hosts) {
    const entries = await retryWhileBusy(() => {
      const database = openDatabase(storeFile(state, host), { readOnly: true });
      try {
        if (!hasHostTables(database)) return [];
        storeMustBeCurrent(database);
        return read(auditOf(database));
      } finally {
        database.close();
      }
    }, signal);
    found.push(...entries);
  }
  return found;
}

/** The answers to an order that the transcribers of this machine have heard, by host. */
export async function answersTo(project: Project, id: string, signal: AbortSignal): Promise<Map<string, AuditEntry>> {
  const entries = await readAudits(project, transcribersHere(project), signal, (audit) => audit.ofOrder(id));
  return new Map(entries.filter(({ outcome }) => outcome).map((entry) => [entry.host, entry]));
}
