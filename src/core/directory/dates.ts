/** Dates as directories write them. */

/**
 * Reads a generalized time (RFC 4517, 3.3.13: `20261122102000Z`), or an ISO 8601 date with or without a time
 * (`2026-12-31`, `2026-12-31T18:00+01:00`). A date without a zone is read in the given IANA time zone. A local time
 * that clocks skip is read with the offset before the change: 02:30 becomes 03:30. Of a local time that occurs twice,
 * the first is taken. Temporal calls both "compatible". Throws an error that names the value for any other text.
 */
export function readDate(text: string, timezone: string): Date {
  const parts = (generalizedTime.exec(text) ?? isoDate.exec(text))?.groups;
  if (!parts) throw wrong(text, "expected 20261231180000Z, 2026-12-31 or 2026-12-31T18:00");
  const [year, month, day] = [Number(parts.year), Number(parts.month), Number(parts.day)];
  const [hour, minute, second] = [Number(parts.hour ?? 0), Number(parts.minute ?? 0), Number(parts.second ?? 0)];
  if (day < 1 || month < 1 || month > 12 || day > daysIn(year, month)) throw wrong(text, "there is no such day");
  if (hour > 23 || minute > 59 || second > 60) throw wrong(text, "there is no such time of day");
  // A fraction is of the smallest unit written. A leap second is read as the first second of the next minute.
  const unit = parts.second ? 1000 : parts.minute ? 60_000 : 3_600_000;
  const fraction = parts.fraction ? Math.floor(Number(`0.${parts.fraction}`) * unit) : 0;
  const local = utc(year, month, day) + hour * 3_600_000 + minute * 60_000 + second * 1000 + fraction;
  return new Date(parts.zone ? local - zoneOffset(parts.zone, text) : fromLocal(local, timezone));
}

const date = "(?<year>\\d{4})-(?<month>\\d\\d)-(?<day>\\d\\d)";
const fraction = "(?:[.,](?<fraction>\\d{1,30}))?";
const generalizedTime = new RegExp(
  `^(?<year>\\d{4})(?<month>\\d\\d)(?<day>\\d\\d)(?:(?<hour>\\d\\d)(?:(?<minute>\\d\\d)(?<second>\\d\\d)?)?${fraction}(?<zone>Z|[+-]\\d\\d(?:\\d\\d)?)?)?$`,
);
const isoDate = new RegExp(
  `^${date}(?:T(?<hour>\\d\\d):(?<minute>\\d\\d)(?::(?<second>\\d\\d)${fraction})?(?<zone>Z|[+-]\\d\\d(?::?\\d\\d)?)?)?$`,
  "i",
);

function wrong(text: string, why: string): Error {
  return new Error(`${JSON.stringify(text.slice(0, 80))} is not a date: ${why}`);
}

/** Midnight in UTC; unlike Date.UTC it takes the years 0 to 99 literally. */
const utc = (year: number, month: number, day: number): number => new Date(0).setUTCFullYear(year, month - 1, day);

const daysIn = (year: number, month: number): number => new Date(utc(year, month + 1, 0)).getUTCDate();

function zoneOffset(zone: string, text: string): number {
  if (zone.toUpperCase() === "Z") return 0;
  const [hours, minutes] = [Number(zone.slice(1, 3)), Number(zone.slice(3).replace(":", "") || 0)];
  if (hours > 23 || minutes > 59) throw wrong(text, `there is no zone ${zone}`);
  return (zone.startsWith("-") ? -1 : 1) * (hours * 60 + minutes) * 60_000;
}

function fromLocal(local: number, timezone: string): number {
  if (timezone === "UTC") return local;
  const day = 86_400_000;
  const before = offsetAt(local - day, timezone);
  const after = offsetAt(local + day, timezone);
  // Near a change of clocks: the earlier of two valid readings. In a skipped hour neither is valid.
  if (before === after || offsetAt(local - before, timezone) === before) return local - before;
  return offsetAt(local - after, timezone) === after ? local - after : local - before;
}

// A directory has few distinct dates: all members of a term share its end.
const offsets = new Map<string, number>();
const offsetsKept = 10_000;

/** The offset of a time zone from UTC at an instant, in milliseconds; positive east of Greenwich. */
function offsetAt(instant: number, timezone: string): number {
  const key = `${timezone} ${instant}`;
  const known = offsets.get(key);
  if (known !== undefined) return known;
  if (offsets.size >= offsetsKept) offsets.clear();
  const offset = computeOffset(instant, timezone);
  offsets.set(key, offset);
  return offset;
}

function computeOffset(instant: number, timezone: string): number {
  const seconds = Math.floor(instant / 1000) * 1000;
  const shown = new Map(
    formatOf(timezone)
      .formatToParts(seconds)
      .map(({ type, value }) => [type, value]),
  );
  const at = (part: Intl.DateTimeFormatPartTypes): number => Number(shown.get(part));
  const year = shown.get("era")?.startsWith("B") ? 1 - at("year") : at("year");
  const time = at("hour") * 3_600_000 + at("minute") * 60_000 + at("second") * 1000;
  return utc(year, at("month"), at("day")) + time - seconds;
}

// Creating a formatter costs a hundred times as much as using it.
const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone);
  if (known) return known;
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone,
    calendar: "gregory",
    hourCycle: "h23",
    era: "short",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  });
  formats.set(timeZone, format);
  return format;
}
