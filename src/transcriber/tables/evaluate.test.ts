import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { stored } from "../../../test/fixtures/entry.ts";
import type { Directory, Entry } from "../../core/directory/entry.ts";
import { service, type Table } from "../../core/service/service.ts";
import { refusalOf, rowHash } from "../../core/stream/cells.ts";
import { Refusal, refusedBecause } from "../../core/util/errors.ts";
import { transcription } from "./transcription.ts";

const row = z.object({ mac: z.string().regex(/^[0-9a-f:]+$/), ip: z.string() });
const machine = stored("u", "cn=box,dc=x", {
  cn: "box",
  mac: "aa:bb",
  ip: ["10.0.0.1", "10.0.0.2"],
  photo: new Uint8Array([7]),
  until: "soon",
});

/**
 * The result of one entry for a service with this `select`, exactly as `select` gave it: a `select` may break its
 * types.
 */
function say(
  select: (entry: Entry, directory: Directory) => unknown,
  table: Partial<Table> = {},
): Record<string, string> {
  const made = { row, unique: ["mac"], run: async () => {}, ...table, select } as unknown as Table;
  const tables = transcription(new Map([["dhcp", made]]), { timezone: "UTC" });
  tables.refresh([machine], Date.UTC(2026, 0, 1));
  return Object.fromEntries(tables.table("dhcp").entries());
}

test("an object is keyed by its entry, array items by their first unique column", () => {
  assert.deepEqual(
    say(() => ({ mac: "aa", ip: "1" })),
    { u: '{"ip":"1","mac":"aa"}' },
  );
  assert.deepEqual(
    say(() => [{ mac: "aa", ip: "1" }]),
    { "u/aa": '{"ip":"1","mac":"aa"}' },
  );
  assert.deepEqual(
    say(() => []),
    {},
  );
  assert.deepEqual(
    say(() => undefined),
    {},
  );
});

test("rows without a unique column, and odd or secret values, are keyed by hash", () => {
  const cell = '{"ip":"1","mac":"aa"}';
  assert.deepEqual(
    say(() => [{ mac: "aa", ip: "1" }], { unique: [] }),
    { [`u/${rowHash(cell)}`]: cell },
  );
  for (const [ip, secret] of [
    ["x".repeat(101), []],
    ["a b", []],
    ["é\n", []],
    ["1", ["ip"]],
  ] as const) {
    const [key] = Object.keys(say(() => [{ mac: "aa", ip }], { unique: ["ip"], secret: [...secret] }));
    assert.equal(key, `u/${rowHash(JSON.stringify(ip))}`);
  }
});

test("a malformed row is refused alone under its own key", () => {
  const said = say(() => [
    { mac: "aa", ip: 7 },
    { mac: "bb", ip: "2" },
    { mac: "no", ip: "3" },
    { mac: "cc", ip: "4", extra: 1 },
  ]);
  assert.deepEqual(Object.keys(said).sort(), ["u", "u/aa", "u/bb", "u/cc"]);
  assert.match(said["u/aa"] ?? "", /^!ip: .*\u001fip$/);
  assert.match(said.u ?? "", /^!mac: .*"no"/);
  assert.equal(said["u/cc"], "!the row has no column extra");
  assert.equal(said["u/bb"], '{"ip":"2","mac":"bb"}');
});

test("a row that select refuses is refused alone, whatever else is wrong", () => {
  const said = say(() => [
    { mac: "aa", ip: 7, [refusedBecause]: new Refusal("reserved: aa", { about: "mac" }) },
    { mac: "bb", ip: "2" },
    { mac: "no", ip: "3", [refusedBecause]: new Refusal("reserved: no") },
  ]);
  assert.deepEqual(said, { "u/aa": "!reserved: aa\u001fmac", "u/bb": '{"ip":"2","mac":"bb"}', u: "!reserved: no" });
});

test("two different rows with one key are refused, the same row twice is one", () => {
  const twice = { mac: "aa", ip: "1" };
  assert.deepEqual(
    say(() => [twice, { ...twice, ip: "2" }, twice]),
    { "u/aa": "!the entry gives two rows with one key" },
  );
  assert.deepEqual(
    say(() => [twice, twice]),
    { "u/aa": '{"ip":"1","mac":"aa"}' },
  );
});

test("every result of select is an evaluation", async () => {
  const cases: [RegExp, (entry: Entry, directory: Directory) => unknown][] = [
    [/^nothing is missing$/, (entry) => entry.one("nothing")],
    [/^IP has 2 values, expected one$/, (entry) => entry.maybe("IP")],
    [/^photo is not text$/, (entry) => entry.one("photo")],
    [/^until: "soon" is not a date/, (entry) => entry.date("until")],
    [/^an invalid date was compared with the clock$/, (_, directory) => directory.reached(new Date("?"))],
    [/^select failed: Cannot read properties of undefined/, (entry) => (entry as never as { a: { b: 1 } }).a.b],
    [
      /^select failed: thrown text$/,
      () => {
        throw "thrown text";
      },
    ],
    [
      /^select threw an error without a text$/,
      () => {
        throw {
          toString() {
            throw 1;
          },
        };
      },
    ],
    [
      /^select failed: Maximum call stack/,
      function deep(entry, directory): unknown {
        return [deep(entry, directory)];
      },
    ],
    [
      /^select returned a promise/,
      async () => {
        throw new Error("later");
      },
    ],
    [/^select returned null/, () => null],
    [/^select returned a boolean/, () => false],
    [/^select returned a string/, () => ["aa"]],
    [/^select returned an array in an array/, () => [[{ mac: "aa", ip: "1" }]]],
    [
      /^select failed: getter$/,
      () => ({
        get mac() {
          throw new Error("getter");
        },
      }),
    ],
    [
      /^select failed: line one \\u0000line two$/,
      () => {
        throw new Error("line one\n\u0000line two");
      },
    ],
  ];
  for (const [expected, select] of cases) {
    const said = say(select);
    assert.deepEqual(Object.keys(said), ["u"], String(expected));
    assert.match(refusalOf(said.u ?? ""), expected);
  }
  await new Promise((resolve) => setImmediate(resolve)); // an unhandled rejection would end the process here
});

test("a refusal contains no secret", () => {
  const said = say(() => ({ mac: "s3cret", ip: "1" }), { secret: ["mac"] });
  assert.match(said.u ?? "", /^!mac: /);
  assert.doesNotMatch(said.u ?? "", /s3cret/);
});

test("a service as it is written gives its rows", () => {
  const { table } = service({
    row,
    unique: ["mac"],
    select: (entry) => entry.all("ip").map((ip) => ({ mac: `${entry.one("mac")}:${ip.at(-1)}`, ip })),
    async run() {},
  });
  assert.deepEqual(Object.keys(say(table.select as never)).sort(), ["u/aa:bb:1", "u/aa:bb:2"]);
});

test("an attribute that is not read of the directory refuses the row", () => {
  const said = (select: (entry: Entry, directory: Directory) => unknown): string => {
    const made = { row: z.object({}), select, run: async () => {} } as unknown as Table;
    const tables = transcription(new Map([["dhcp", made]]), { timezone: "UTC" });
    tables.refresh([machine], Date.UTC(2026, 0, 1), { attributes: ["cn", "mac"] });
    return refusalOf(tables.table("dhcp").get("u") ?? "{}");
  };
  const why =
    "owner is not read from the directory: it was not requested: add it to directory.attributes in the config";
  assert.equal(
    said((entry) => (entry.has("owner") ? {} : undefined)),
    why,
  );
  assert.equal(
    said((entry, directory) => directory.where("owner", entry).map(() => ({}))),
    why,
  );
  assert.equal(
    said((entry, directory) => directory.follow(entry, "owner").map(() => ({}))),
    why,
  );
});
