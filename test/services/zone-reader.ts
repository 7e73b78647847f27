import assert from "node:assert/strict";

/** A record of a zone with its full names. */
export interface ZoneRecord {
  readonly owner: string;
  readonly type: string;
  readonly data: string;
}

/** A small reader of zone files of its own, strict: a line that it does not know makes it fail. */
export function readZone(text: string): { serial: number; records: ZoneRecord[] } {
  let origin = "";
  let serial = -1;
  const records: ZoneRecord[] = [];
  for (const line of text.split("\n")) {
    if (line === "" || line.startsWith(";") || line.startsWith("$TTL ")) continue;
    if (line.startsWith("$ORIGIN ")) {
      origin = line.slice(8);
      continue;
    }
    const [, owner, type, data] = /^(\S+) IN (SOA|NS|A|AAAA|PTR) ([a-z0-9:. -]+)$/.exec(line) ?? [];
    assert.ok(owner && type && data, `not a record: ${JSON.stringify(line)}`);
    if (type === "SOA") serial = Number(data.split(" ")[2]);
    else records.push({ owner: owner === "@" ? origin : `${owner}.${origin}`, type, data });
  }
  return { serial, records };
}
