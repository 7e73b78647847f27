import type { Host } from "../../core/service/host-api.ts";
import { laterSerial } from "./zone-serial.ts";
import type { ZoneServer } from "./zone-server.ts";

/**
 * The serials with which zones were last seen, from run to run. A lower serial shows that the zone was
 * replaced, as by a backup.
 */
export function serialNotes({ serials }: Pick<ZoneServer, "serials">, { memory }: Pick<Host, "memory">) {
  const touched = new Set<string>();
  const note = (zone: string): string => `serial of ${zone}`;
  return {
    /** Notes that these zones were changed: their serials must rise. */
    written(zones: Iterable<string>): void {
      for (const zone of zones) touched.add(zone);
    },
    /** The reason if a zone has a serial other than after the last run; undefined if none has. */
    older(): string | undefined {
      for (const [zone, serial] of serials) {
        const text = memory.get(note(zone));
        if (text === undefined) continue;
        const wrong = touched.has(zone) ? !laterSerial(serial, Number(text)) : laterSerial(Number(text), serial);
        if (wrong) return `${zone} has serial ${serial} after ${text}`;
      }
      return undefined;
    },
    keep(): void {
      for (const [zone, serial] of serials) memory.set(note(zone), String(serial));
    },
  };
}
