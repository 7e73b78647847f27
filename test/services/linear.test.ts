import assert from "node:assert/strict";
import { test } from "node:test";
import type { StoredEntry } from "../../src/core/directory/entry.ts";
import type { Service } from "../../src/core/service/service.ts";
import { bind, bindZone, freeradius, homes, iscDhcp, kea, nftables, postfix } from "../../src/index.ts";
import { transcription } from "../../src/transcriber/tables/transcription.ts";
import { stored } from "../fixtures/entry.ts";
import { tableOf } from "./scene.ts";

// The work of one evaluation grows like its entry, whichever of its attributes grows.

const zone = { zone: "campus.example", ns: ["ns1.other.example"] };
const services: readonly [name: string, service: Service][] = [
  ["bind", bind({ zone: zone.zone })],
  ["bindZone", bindZone(zone)],
  ["iscDhcp", iscDhcp()],
  ["kea", kea()],
  ["homes", homes()],
  ["nftables", nftables({ rules: "chain c {}" })],
  ["freeradius", freeradius({ devices: true })],
  ["postfix", postfix({ domains: [zone.zone] })],
];

/** A value of each attribute, by its number. */
const values: Readonly<Record<string, (n: number) => string>> = {
  objectClass: (n) => ["device", "ieee802Device", "ipHost", "posixAccount", "inetOrgPerson"][n] ?? `class${n}`,
  cn: (n) => `name-${n}`,
  uid: (n) => `user${n}`,
  macAddress: (n) => `02:00:00:00:${hex(n >> 8)}:${hex(n & 255)}`,
  ipHostNumber: (n) => `10.0.${n >> 8}.${n & 255}`,
  uidNumber: (n) => `${2_000 + n}`,
  gidNumber: (n) => `${2_000 + n}`,
  homeDirectory: (n) => `/home/user${n}`,
  mail: (n) => `user${n}@campus.example`,
  userPassword: (n) => `{SSHA}bmV2ZXJ1c2VkbmV2ZXJ1c2VkMTIz${n}`,
  rfc822MailMember: (n) => `member${n}@campus.example`,
  shadowExpire: (n) => `${20_000 + n}`,
};
const hex = (byte: number): string => byte.toString(16).padStart(2, "0");

/** An entry with this number of values in some attributes, and one value in each of the others. */
function entryOf(count: number, grown: readonly string[], classes: readonly string[]): StoredEntry {
  const attributes = Object.entries(values).map(([name, value]) => {
    const of = grown.includes(name) ? count : 1;
    return [name, Array.from({ length: of }, (_, n) => value(n))];
  });
  const { objectClass, ...rest } = Object.fromEntries(attributes);
  return stored("u", "cn=name-0,dc=x", { objectClass: [...classes, ...objectClass], ...rest });
}

/** The least processor time of several evaluations, in milliseconds. */
function timeOf(service: Service, entry: StoredEntry): number {
  const times = Array.from({ length: 7 }, () => {
    const tables = transcription(new Map([["it", tableOf(service)]]), { timezone: "UTC" });
    const before = process.threadCpuUsage();
    tables.refresh([entry], Date.UTC(2026, 10, 22));
    const { user, system } = process.threadCpuUsage(before);
    return (user + system) / 1_000;
  });
  return Math.min(...times);
}

const devices = ["device", "ieee802Device", "ipHost", "posixAccount", "inetOrgPerson"];
for (const [name, service] of services) {
  test(`${name}: the work of an evaluation grows like the entry`, (t) => {
    const said: string[] = [];
    for (const classes of [devices, ["nisMailAlias"]]) {
      for (const grown of [...Object.keys(values).map((one) => [one]), Object.keys(values)]) {
        const [small, large] = [1_000, 4_000].map((count) => timeOf(service, entryOf(count, grown, classes)));
        if (small === undefined || large === undefined) assert.fail();
        if (large > 5) said.push(`${grown.length > 1 ? "all" : grown}: ${small.toFixed(1)}, ${large.toFixed(1)} ms`);
        // Four times the work is linear, sixteen times is not. A few milliseconds are noise.
        assert.ok(large < 9 * small + 5, `${grown}: ${small} and ${large} ms for 1,000 and 4,000 values`);
        assert.ok(large < 1_000, `${grown}: ${large} ms`);
      }
    }
    t.diagnostic(said.join("; "));
  });
}
