import type { StoredEntry } from "../../core/directory/entry.ts";
import { isUuid } from "../../core/directory/identity.ts";

/**
 * Compares two entries by their age: by createTimestamp, which no user can write, or by the time in the entryUUID (RFC
 * 4122, version 1, as OpenLDAP makes them). An entry with neither is younger than all others; equal ages are ordered by
 * identity.
 */
export function olderFirst(a: StoredEntry, b: StoredEntry): number {
  const [made, other] = [timesOf(a), timesOf(b)];
  return made.second - other.second || made.fine - other.fine || (a.uuid < b.uuid ? -1 : 1);
}

/** Later than any time. Infinity minus infinity is no number. */
const never = Number.MAX_SAFE_INTEGER;

/** The second in which an entry was made, since 1970, and the finer time of its UUID, in units of the UUID. */
function timesOf({ uuid, attributes }: StoredEntry): { readonly second: number; readonly fine: number } {
  const fine = timeOfUuid(uuid);
  return { second: timeOfText(attributes.get("createtimestamp")?.[0]) ?? secondOf(fine) ?? never, fine: fine ?? never };
}

function timeOfText(value: unknown): number | undefined {
  if (typeof value !== "string") return undefined;
  const [found, ...parts] = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:[.,]\d+)?Z$/.exec(value) ?? [];
  if (found === undefined) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts.map(Number);
  return Date.UTC(year, month - 1, day, hour, minute, second) / 1000;
}

/** The 60 bits of time in a UUID of version 1: units of 100 ns since 1582-10-15. */
function timeOfUuid(uuid: string): number | undefined {
  const [low = "", middle = "", high = ""] = uuid.split("-");
  return isUuid(uuid) && high.startsWith("1") ? Number.parseInt(`${high.slice(1)}${middle}${low}`, 16) : undefined;
}

const secondOf = (fine: number | undefined): number | undefined =>
  fine === undefined ? undefined : Math.floor(fine / 10_000_000) - 12_219_292_800;
