import type { AuditEntry } from "../host/store/audit.ts";
import type { Project } from "../project/project.ts";
import { readAudits, storesHere } from "./order-answers.ts";

export type { AuditEntry };

/** The orders that are listed. */
export interface AuditFilter {
  /** Orders about this service alone. */
  readonly service?: string | undefined;
  /** Orders to this host alone. */
  readonly host?: string | undefined;
  /** The most orders. */
  readonly limit: number;
}

/**
 * The newest orders that the stores of this machine know of, the newest first; one entry for each host. Where a transcriber
 * is here, these are the orders to all hosts.
 */
export async function auditOrders(
  project: Project,
  { service, host, limit }: AuditFilter,
  signal: AbortSignal,
): Promise<AuditEntry[]> {
  const isListed = (entry: AuditEntry): boolean =>
    (service === undefined || entry.order.service === service) && (host === undefined || entry.host === host);
  const found = new Map<string, AuditEntry>();
  const read = await readAudits(project, storesHere(project), signal, (audit) => audit.newest().filter(isListed));
  for (const entry of read) {
    const key = `${entry.order.id} ${entry.host}`;
    // The store of one transcriber may lack the answer that another one has heard.
    if (!found.get(key)?.outcome) found.set(key, entry);
  }
  const newestFirst = [...found].sort(([a], [b]) => (a < b ? 1 : -1));
  return newestFirst.slice(0, limit).map(([, entry]) => entry);
}
