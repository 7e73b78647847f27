import type { Lot } from "../../examples/campus/demo/lot.ts";
import type { Slapd } from "../servers/slapd.ts";
import { kinds } from "./changes.ts";
import { entriesOf, tell } from "./directory.ts";
import { expected, type ServiceName } from "./expected.ts";
import { weighted } from "./lots.ts";
import { copyOf, type Model } from "./model.ts";

/** A writer that changes the directory without a pause. */
export interface Writer {
  /** Makes one change, of one or more records, and returns its kind. */
  change(signal: AbortSignal): Promise<string>;
  backUp(): void;
  /** Restores the directory from the backup. */
  restore(): Promise<void>;
  /** True if a line could have been served at some time. */
  hasBeen(service: ServiceName, line: string): boolean;
  /** The number of records written, by kind of change. */
  readonly made: ReadonlyMap<string, number>;
}

export function writer(slapd: Slapd, given: Model, lot: Lot): Writer {
  let model = given;
  let backup: { model: Model; ldif: string } | undefined;
  const made = new Map<string, number>();
  const past = new Map<string, Set<string>>();
  const drawn = Object.entries(kinds).map(([name, [weight, change]]) => [weight, { name, change }] as const);

  const note = (): void => {
    for (const [service, { lines }] of Object.entries(expected(entriesOf(model)))) {
      const known = past.get(service) ?? new Set();
      for (const line of lines) known.add(withoutUuid(service as ServiceName, line));
      past.set(service, known);
    }
  };
  model.noted = note;
  note();

  return {
    made,
    async change(signal) {
      const { name, change } = weighted(drawn, lot);
      const records = change({ model, lot, now: Date.now });
      for (const record of records) await tell(slapd, record, signal);
      if (records.length > 0) made.set(name, (made.get(name) ?? 0) + 1);
      return name;
    },
    backUp() {
      backup = { model: copyOf(model), ldif: slapd.slapcat() };
    },
    async restore() {
      if (!backup) return;
      // Numbers continue after the restoration: an address that was given once is not given again.
      model = { ...copyOf(backup.model), next: model.next };
      await slapd.loadBackup(backup.ldif);
    },
    hasBeen: (service, line) => past.get(service)?.has(withoutUuid(service, line)) ?? false,
  };
}

/** A line without its UUID, since the writer does not know the server's UUIDs. */
const withoutUuid = (service: ServiceName, line: string): string =>
  service === "names" ? line.slice(line.indexOf(" ")) : service === "people" ? line.slice(line.indexOf(",")) : line;
