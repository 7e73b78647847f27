import assert from "node:assert/strict";
import { test } from "node:test";
import type { StoredEntry } from "../../src/core/directory/entry.ts";
import type { Service } from "../../src/core/service/service.ts";
import { isRefused, refusalOf } from "../../src/core/stream/cells.ts";
import { bind, bindZone, freeradius, homes, iscDhcp, kea, nftables, postfix } from "../../src/index.ts";
import { transcription } from "../../src/transcriber/tables/transcription.ts";
import { stored } from "../fixtures/entry.ts";
import { tableOf } from "./scene.ts";

const now = Date.UTC(2026, 10, 22);

/** An entry that each ready-made service has a row of; its name and number tell it from others. */
const entry = (name: string, n: number, attributes: Record<string, string> = {}, above = "ou=members"): StoredEntry =>
  stored(name, `cn=${name},${above},dc=x`, {
    objectClass: ["device", "ieee802Device", "ipHost", "posixAccount", "inetOrgPerson"],
    macAddress: `02:00:00:00:00:0${n}`,
    ipHostNumber: `10.0.0.${n}`,
    uid: name,
    uidNumber: String(2000 + n),
    gidNumber: "100",
    homeDirectory: `/home/${name}`,
    mail: `${name}@campus.example`,
    userPassword: "{SSHA}bmV2ZXJ1c2VkbmV2ZXJ1c2VkMTIz",
    ...attributes,
  });

const claims = { base: "ou=Servers, dc=x" };
const zone = { zone: "campus.example", ns: ["ns1.other.example"] };
const services: [name: string, service: (options: object) => Service, contested: Record<string, string>][] = [
  ["bind", (options) => bind({ zone: zone.zone, ...options }), { ipHostNumber: "10.0.0.1" }],
  ["bindZone", (options) => bindZone({ ...zone, ...options }), { ipHostNumber: "10.0.0.1" }],
  ["iscDhcp", (options) => iscDhcp({ ...options }), { ipHostNumber: "10.0.0.1" }],
  ["kea", (options) => kea({ ...options }), { macAddress: "02-00-00-00-00-01" }],
  ["homes", (options) => homes({ ...options }), { uidNumber: "2001" }],
  ["nftables", (options) => nftables({ rules: "chain c {}", ...options }), { ipHostNumber: "10.0.0.1" }],
  ["freeradius", (options) => freeradius({ devices: true, ...options }), { macAddress: "020000000001" }],
  ["postfix", (options) => postfix({ domains: [zone.zone], ...options }), { mail: "help@campus.example" }],
];

/** The reasons of a service's refused rows, by the entry. */
function refusals(service: Service, entries: readonly StoredEntry[]): Record<string, string> {
  const tables = transcription(new Map([["it", tableOf(service)]]), { timezone: "UTC" });
  tables.refresh(entries, now);
  return Object.fromEntries(
    [...tables.table("it").entries()].flatMap(([key, cell]) =>
      isRefused(cell) ? [[key.split("/")[0], refusalOf(cell)]] : [],
    ),
  );
}

for (const [name, service, contested] of services) {
  test(`${name}: a contested value goes to the entry that an administrator blessed`, () => {
    const [router, thief] = [entry("router", 1, contested, "ou=servers"), entry("thief", 2, contested)];
    const why = refusals(service({ claims }), [router, thief]);
    assert.deepEqual(Object.keys(why), ["thief"]);
    assert.match(why.thief ?? "", /is kept by cn=router,ou=servers,dc=x \(option claims\)$/);
    assert.deepEqual(Object.keys(refusals(service({}), [router, thief])).sort(), ["router", "thief"]);
  });

  test(`${name}: a wrong claims option is an error`, () => {
    assert.throws(() => service({ claims: {} }), /claims: is empty/);
    assert.throws(() => service({ claims: { base: "no dn" } }), /claims: base.* is no DN/);
    assert.throws(() => service({ claims: { filter: "(" } }), /claims: filter: is no LDAP filter/);
    assert.throws(() => service({ claims: { bases: [] } }), /claims: unknown option "bases".*"base"/);
  });
}

test("entries are blessed by a subtree of several, and by a filter", () => {
  const of = (claims: object, ...entries: StoredEntry[]) => refusals(kea({ claims }), entries);
  const thief = entry("thief", 2, { ipHostNumber: "10.0.0.1" });
  const router = entry("router", 1, { employeeType: "network" }, "ou=core,ou=net");
  assert.deepEqual(Object.keys(of({ base: ["ou=servers,dc=x", "ou=net,dc=x"] }, router, thief)), ["thief"]);
  assert.deepEqual(Object.keys(of({ filter: "(employeeType=network)" }, router, thief)), ["thief"]);
  const both = { base: "ou=net,dc=x", filter: "(employeeType=server)" };
  assert.deepEqual(Object.keys(of(both, router, thief)).sort(), ["router", "thief"]);
});
