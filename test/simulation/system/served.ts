import type { RetainedBy } from "../../../src/core/stream/reasons.ts";
import type { ServiceName } from "./campus.ts";
import type { HostProcess } from "./world.ts";

/** A key's row in a host's store. */
export interface StoredRow {
  readonly key: string;
  readonly desired: string | null;
  readonly applied: string | null;
  readonly by: RetainedBy | null;
  readonly detail: string | null;
  readonly doubt: number;
}

export const storedRows = ({ store }: HostProcess, service: ServiceName): StoredRow[] =>
  store.raw
    .prepare("SELECT key, desired, applied, retained_by AS by, detail, doubt FROM row WHERE service = ?")
    .all(service) as unknown as StoredRow[];

/** The lines that the daemon of a service serves: an address and a name each. */
export const linesServed = ({ machine }: HostProcess, service: ServiceName): string[] =>
  service === "names"
    ? (machine.running ?? "").split("\n").filter((line) => /^\d/.test(line))
    : [...machine.records].map(([ip, name]) => `${ip} ${name}`);

/** The line of a row in canonical JSON. */
export function lineOf(cell: string): string {
  const { ip, name } = JSON.parse(cell);
  return `${ip} ${name}`;
}

export const serves = (host: HostProcess, service: ServiceName, cell: string): boolean =>
  linesServed(host, service).includes(lineOf(cell));
