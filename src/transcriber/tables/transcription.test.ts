import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { z } from "zod";
import { stored } from "../../../test/fixtures/entry.ts";
import { runs } from "../../../test/hostile.ts";
import type { StoredEntry } from "../../core/directory/entry.ts";
import { service, type Table } from "../../core/service/service.ts";
import { type Cell, contestedRow, rowHash } from "../../core/stream/cells.ts";
import { type Transcription, transcription } from "./transcription.ts";

const midnight = Date.UTC(2026, 5, 1);
const hour = 3_600_000;

const { table: dhcp } = service({
  row: z.object({ name: z.string(), ip: z.string().regex(/^[0-9.]+$/) }),
  unique: ["ip"],
  select(machine, directory) {
    if (!machine.is("device")) return;
    const owner = directory.follow(machine, "owner")[0] ?? directory.parent(machine);
    if (!owner) return;
    const banned = directory
      .where("banned", owner)
      .some((ban) => directory.during(ban.date("from"), ban.date("until")));
    if (banned || !directory.during(undefined, owner.date("paid"))) return;
    return { name: `${owner.name}/${machine.name}`, ip: machine.one("ip") };
  },
  async run() {},
});
const { table: groups } = service({
  row: z.object({ owner: z.string(), count: z.number() }),
  select: (entry, directory) => {
    if (entry.is("person")) return [{ owner: entry.dn, count: directory.children(entry).length }];
  },
  async run() {},
});
// Only the order of entries decides, and no content is read.
const { table: orders } = service({
  row: z.object({ devices: z.string(), below: z.string() }),
  select: (entry, directory) => {
    if (!entry.is("person")) return;
    const uuids = (entries: { uuid: string }[]): string => entries.map(({ uuid }) => uuid).join(",");
    return { devices: uuids(directory.where("objectClass", "device")), below: uuids(directory.children(entry)) };
  },
  async run() {},
});
const services = new Map<string, Table>([
  ["dhcp", dhcp as Table],
  ["groups", groups as Table],
]);
const tables = (of = services): Transcription => transcription(of, { timezone: "UTC" });
const said = (told: Transcription, name = "dhcp") => Object.fromEntries([...told.table(name).entries()].sort());

const person = (uuid: string, attributes = {}): StoredEntry =>
  stored(uuid, `uid=${uuid},dc=x`, { objectClass: "person", ...attributes });
const device = (uuid: string, owner: string, ip: string): StoredEntry =>
  stored(uuid, `cn=${uuid},uid=${owner},dc=x`, { objectClass: "device", ip });
const ban = (uuid: string, of: string, from: string, until?: string): StoredEntry =>
  stored(uuid, `cn=${uuid},dc=x`, { banned: `uid=${of},dc=x`, from, ...(until ? { until } : {}) });

test("a ban removes the rows of a member's machines, and its end adds them", () => {
  const told = tables();
  told.refresh(
    [person("p"), device("m1", "p", "1"), device("m2", "p", "2"), person("q"), device("m3", "q", "3")],
    midnight,
  );
  assert.deepEqual(Object.keys(said(told)), ["m1", "m2", "m3"]);
  assert.equal(told.nextTime(), undefined);
  told.change([ban("b", "p", "20260601020000Z", "20260601050000Z")], [], midnight);
  assert.equal(told.nextTime(), midnight + 2 * hour);
  assert.equal(told.tick(midnight + 2 * hour - 1).services.size, 0);
  assert.deepEqual(told.tick(midnight + 2 * hour).services.get("dhcp"), [
    ["m1", null],
    ["m2", null],
  ]);
  assert.equal(told.nextTime(), midnight + 5 * hour);
  told.tick(midnight + 6 * hour);
  assert.deepEqual(Object.keys(said(told)), ["m1", "m2", "m3"]);
  assert.equal(told.nextTime(), undefined);
});

test("a clock that goes back is followed", () => {
  const told = tables();
  told.refresh([person("p", { paid: "20260601010000Z" }), device("m", "p", "1")], midnight);
  told.tick(midnight + hour);
  assert.deepEqual(said(told), {});
  told.tick(midnight);
  assert.deepEqual(Object.keys(said(told)), ["m"]);
});

test("a read without an answer is a dependency too", () => {
  const told = tables();
  told.refresh([stored("m", "cn=m,dc=x", { objectClass: "device", ip: "1", owner: "UID=P , DC=x" })], midnight);
  assert.deepEqual(said(told), {});
  told.change([person("p")], [], midnight);
  assert.deepEqual(said(told), { m: '{"ip":"1","name":"p/m"}' });
});

test("a machine follows its renamed parent", () => {
  const told = tables();
  told.refresh([person("p"), device("m", "p", "1")], midnight);
  const moved = told.change([stored("p", "uid=Q,dc=x", { objectClass: "person" })], [], midnight);
  assert.deepEqual(moved.services.get("dhcp"), [["m", '{"ip":"1","name":"Q/m"}']]);
  assert.equal(told.entry("m")?.dn, "cn=m,uid=Q,dc=x");
});

test("two claims to one value are both refused until one is given up", () => {
  const told = tables();
  told.refresh([person("p"), device("a", "p", "7"), device("b", "p", "8")], midnight);
  told.change([device("b", "p", "7")], [], midnight);
  const why = '!ip: "7" is claimed by cn=a,uid=p,dc=x and cn=b,uid=p,dc=x';
  assert.deepEqual(said(told), { a: why, b: why });
  assert.equal(told.refusedCount("dhcp"), 2);
  assert.deepEqual([...told.refused("dhcp")].map(({ key, dn }) => `${key} ${dn}`).sort(), [
    "a cn=a,uid=p,dc=x",
    "b cn=b,uid=p,dc=x",
  ]);
  told.change([], ["a"], midnight);
  assert.deepEqual(said(told), { b: '{"ip":"7","name":"p/b"}' });
  assert.equal(told.refusedCount("dhcp"), 0);
});

test("an entry is blessed as long as what its claims read says so", () => {
  const blessing: Table = {
    ...dhcp,
    refused: "remove",
    claims: (entry, directory) => directory.follow(entry, "by").length > 0,
  } as Table;
  const told = transcription(new Map([["dhcp", blessing]]), { timezone: "UTC" });
  const router = (ip: string) => stored("r", "cn=r,uid=p,dc=x", { objectClass: "device", ip, by: "cn=net,dc=x" });
  const net = stored("net", "cn=net,dc=x", { objectClass: "group" });
  told.refresh([person("p"), device("a", "p", "7"), router("7")], midnight);
  assert.deepEqual(
    Object.keys(said(told))
      .filter((key) => said(told)[key]?.startsWith("!"))
      .sort(),
    ["a", "r"],
  );
  told.change([net], [], midnight);
  assert.equal(said(told).r, '{"ip":"7","name":"p/r"}');
  assert.match(said(told).a ?? "", /^!ip: "7" is kept by cn=r,uid=p,dc=x/);
  assert.equal(contestedRow((said(told).a ?? "") as Cell), rowHash('{"ip":"7","name":"p/a"}'));
  told.change([], ["net"], midnight);
  assert.match(said(told).r ?? "", /is claimed by/);
});

test("an error of claims refuses its entry", () => {
  const failing = { ...dhcp, claims: () => assert.fail("no such list") };
  const told = transcription(new Map([["dhcp", failing as Table]]), { timezone: "UTC" });
  told.refresh([person("p"), device("a", "p", "7")], midnight);
  assert.match(said(told).a ?? "", /^!.*no such list/);
});

test("a refusal names three of many claimants, and the number of the others", () => {
  const told = tables();
  told.refresh([person("p"), ..."edcba".split("").map((uuid) => device(uuid, "p", "7"))], midnight);
  assert.match(said(told).a ?? "", /by cn=a,uid=p,dc=x and cn=b,uid=p,dc=x and cn=c,uid=p,dc=x and 2 more$/);
});

test("values that entries exchange end right, in one change or in several", () => {
  const ips = ["7", "8", "9"];
  const turned = ips.map((_, index) => device(`m${index}`, "p", ips[(index + 1) % 3] ?? ""));
  for (const batches of [[turned], turned.map((entry) => [entry]), [turned.slice(1), turned.slice(0, 1)]]) {
    const told = tables();
    told.refresh([person("p"), ...ips.map((ip, index) => device(`m${index}`, "p", ip))], midnight);
    for (const batch of batches) told.change(batch, [], midnight);
    assert.deepEqual(
      Object.values(said(told)),
      ["8", "9", "7"].map((ip, index) => `{"ip":"${ip}","name":"p/m${index}"}`),
    );
    assert.equal(told.refusedCount("dhcp"), 0);
  }
});

test("one change evaluates only the entries that it can affect", () => {
  for (const size of [10, 2000]) {
    let evaluations = 0;
    const counted: Table = {
      ...(dhcp as Table),
      select(entry, directory) {
        evaluations++;
        return dhcp.select(entry, directory);
      },
    };
    const told = transcription(new Map([["dhcp", counted]]), { timezone: "UTC" });
    const members = Array.from({ length: size }, (_, index) => [
      person(`p${index}`),
      device(`m${index}`, `p${index}`, `${index}`),
    ]);
    told.refresh(members.flat(), midnight);
    assert.equal(evaluations, 2 * size + 1, "the first asker of an index is evaluated again");
    evaluations = 0;
    told.change([ban("b", "p1", "20260101")], [], midnight);
    assert.equal(evaluations, 2, "the ban itself and the one machine");
    told.change([ban("b", "p1", "20260101"), device("m1", "p1", "1")], [], midnight);
    assert.equal(evaluations, 2, "nothing differs");
    told.change([person("p2", { paid: "2030" }), device("m2", "p2", "77")], [], midnight);
    assert.equal(evaluations, 4, "the member and the machine, once each");
  }
});

test("an explanation has the reads, the cells and the next time of an entry", () => {
  const told = tables();
  told.refresh([person("p", { paid: "20260601010000Z" }), device("m", "p", "1")], midnight);
  assert.deepEqual(told.explain("dhcp", "CN=m, uid=p,dc=x"), {
    dn: "cn=m,uid=p,dc=x",
    cells: [["m", '{"ip":"1","name":"p/m"}']],
    reads: ["the entry named uid=p,dc=x", "the content of uid=p,dc=x", "the entries whose banned names uid=p,dc=x"],
    next: midnight + hour,
  });
  assert.throws(() => told.explain("dhcp", "cn=nobody"), /the directory has no entry "cn=nobody"/);
});

// A small world in which everything occurs: names, owners, bans, dates and contested addresses.
const uuids = ["p0", "p1", "p2", "m0", "m1", "m2", "m3", "b0"];
const date = fc.option(
  fc.integer({ min: 0, max: 9 }).map((hours) => `2026060${1}0${hours}0000Z`),
  { nil: undefined },
);
const optional = (name: string, value: string | undefined) => (value === undefined ? {} : { [name]: value });
const content = fc.record({
  kind: fc.constantFrom("person", "device", "ban"),
  at: fc.nat(3),
  ip: fc.constantFrom("1", "2", "3", "bad!"),
  from: date,
  until: date,
});
const attributesOf = ({
  kind,
  at,
  ip,
  from,
  until,
}: {
  kind: string;
  at: number;
  ip: string;
  from?: string;
  until?: string;
}) => {
  if (kind === "person") return { objectClass: "person", ...optional("paid", until) };
  if (kind === "ban") return { banned: `uid=p${at},dc=x`, ...optional("from", from), ...optional("until", until) };
  return { objectClass: "device", ip, ...(at < 3 ? { owner: `UID=p${at},dc=x` } : {}) };
};
const operation = fc.oneof(
  fc.record({ kind: fc.constant("write" as const), uuid: fc.constantFrom(...uuids), content }),
  fc.record({
    kind: fc.constant("name" as const),
    uuid: fc.constantFrom(...uuids),
    below: fc.option(fc.constantFrom(...uuids)),
    rdn: fc.constantFrom("uid=p0", "uid=p1", "cn=x", "cn=y"),
  }),
  fc.record({ kind: fc.constant("delete" as const), uuid: fc.constantFrom(...uuids) }),
);

type Operation = typeof operation extends fc.Arbitrary<infer One> ? One : never;

/** A directory as a server keeps it: a tree of entries, no name twice, no uuid used again. */
class World {
  readonly entries = new Map<string, { rdn: string; below: string | null; attributes: Record<string, string> }>();
  readonly #used = new Set<string>();

  stored(uuid: string): StoredEntry {
    return stored(uuid, this.#dn(uuid), this.entries.get(uuid)!.attributes);
  }

  /**
   * Carries out an operation, and returns the entry that a directory then names: the top of the renamed or removed
   * subtree.
   */
  take(operation: Operation): string[] {
    const { uuid } = operation;
    const known = this.entries.get(uuid);
    if (operation.kind === "write" && !known) {
      if (this.#used.has(uuid)) return [];
      this.#used.add(uuid);
      const rdn = `${uuid.startsWith("p") ? "uid" : "cn"}=${uuid}`;
      this.entries.set(uuid, { rdn, below: null, attributes: attributesOf(operation.content) });
      if (this.#isTaken(uuid)) this.entries.delete(uuid);
      return [uuid];
    }
    if (!known) return [];
    if (operation.kind === "write") known.attributes = attributesOf(operation.content);
    else if (operation.kind === "delete") {
      for (const below of [...this.entries.keys()].filter((other) => this.#isBelow(other, uuid)))
        this.entries.delete(below);
    } else {
      const { rdn, below } = operation;
      if (below !== null && (!this.entries.has(below) || this.#isBelow(below, uuid))) return [];
      const before = { rdn: known.rdn, below: known.below };
      Object.assign(known, { rdn, below });
      if (this.#isTaken(uuid)) Object.assign(known, before);
    }
    return [uuid];
  }

  #dn(uuid: string): string {
    const { rdn, below } = this.entries.get(uuid)!;
    return below === null ? `${rdn},dc=x` : `${rdn},${this.#dn(below)}`;
  }

  #isBelow(uuid: string | null, top: string): boolean {
    return uuid !== null && (uuid === top || this.#isBelow(this.entries.get(uuid)?.below ?? null, top));
  }

  #isTaken(uuid: string): boolean {
    return [...this.entries.keys()].some((other) => other !== uuid && this.#dn(other) === this.#dn(uuid));
  }
}

test("changes in any order end with the same cells, refusals included", () => {
  const changes = ["m0", "m1", "m2", "m3", "m4"].map((uuid) =>
    fc.constantFrom("1", "2", "bad!").map((ip) => device(uuid, "p", ip)),
  );
  const orders = fc
    .tuple(...changes)
    .chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })));
  fc.assert(
    fc.property(orders, ([one, other]) => {
      const [first, second] = [one, other].map((order) => {
        const told = tables();
        told.refresh(
          [person("p"), ...["m0", "m1", "m2"].map((uuid, index) => device(uuid, "p", `${index}`))],
          midnight,
        );
        for (const entry of order) told.change([entry], [], midnight);
        return told;
      });
      assert.deepEqual(said(first!), said(second!));
      assert.equal(first!.table("dhcp").digest.root, second!.table("dhcp").digest.root);
    }),
    { numRuns: runs(50) },
  );
});

test("tables depend on directory, clock and code alone, not on their history", () => {
  const all = new Map([...services, ["orders", orders as Table]]);
  const steps = fc.array(
    fc.record({
      operations: fc.array(operation, { minLength: 1, maxLength: 4 }),
      together: fc.boolean(),
      minutes: fc.nat(90),
    }),
    { maxLength: 12 },
  );
  fc.assert(
    fc.property(steps, (history) => {
      const world = new World();
      const told = tables(all);
      told.refresh([], midnight);
      let now = midnight;
      for (const { operations, together, minutes } of history) {
        now += minutes * 60_000;
        const deliver = (uuids: Iterable<string>): void => {
          const [there, gone] = [
            [...uuids].filter((uuid) => world.entries.has(uuid)),
            [...uuids].filter((uuid) => !world.entries.has(uuid)),
          ];
          told.change(
            there.map((uuid) => world.stored(uuid)),
            gone,
            now,
          );
        };
        const touched = new Set<string>();
        for (const operation of operations) {
          const uuids = world.take(operation);
          if (!together) deliver(uuids);
          for (const uuid of uuids) touched.add(uuid);
        }
        if (together) deliver(touched);
        told.tick(now);
        const fresh = tables(all);
        fresh.refresh([...world.entries.keys()].map((uuid) => world.stored(uuid)).reverse(), now);
        for (const name of all.keys()) {
          assert.deepEqual(said(told, name), said(fresh, name));
          assert.equal(told.table(name).digest.root, fresh.table(name).digest.root);
          assert.equal(told.refusedCount(name), fresh.refusedCount(name));
        }
        assert.equal(told.nextTime(), fresh.nextTime());
      }
    }),
    { numRuns: runs(150) },
  );
});
