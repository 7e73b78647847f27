import assert from "node:assert/strict";
import { test } from "node:test";
import { CellTable } from "../../core/stream/cell-table.ts";
import { hashEnd } from "../../core/stream/digest.ts";
import type { TableQuestion } from "../../core/stream/host-end.ts";
import { type StreamMessage, streamMessage } from "../../core/stream/messages.ts";
import { virtualClock } from "../../testing/virtual-clock.ts";
import { allowances } from "./allowance.ts";
import { openStream } from "./stream.ts";

const minute = 60_000;

/** The stream of a table of a thousand rows to two hosts. */
function thousandRows(everyone = "trigger.dhcp") {
  const clock = virtualClock(0);
  const table = new CellTable("dhcp");
  table.apply(Array.from({ length: 1_000 }, (_, row) => [`key ${row}`, "{}"]));
  const log: string[] = [];
  let made = 0;
  const { part } = table;
  table.part = (...of) => {
    made += 1;
    return part.apply(table, of);
  };
  const sent: { key: string; message: StreamMessage }[] = [];
  const stream = openStream({
    ...{ service: "dhcp", everyone, hosts: ["a", "b"], table },
    asOf: () => ({ state: [], clock: 0 }),
    applying: () => false,
    allowance: allowances(clock),
    async publish(key, body) {
      sent.push({ key, message: streamMessage.parse(JSON.parse(body)) });
    },
    revive: async () => {},
    log: (line) => void log.push(line),
  });
  stream.begin(7, false);
  /** Requests a part `times` times as a host; returns the number of answers. */
  const ask = async (host: string, times: number, want: TableQuestion): Promise<number> => {
    const before = sent.length;
    for (let asked = 0; asked < times; asked++) {
      stream.answer(host, want);
      await new Promise((resolve) => setImmediate(resolve));
    }
    return sent.slice(before).filter(({ key }) => key === `trigger.dhcp.${host}`).length;
  };
  return { clock, stream, ask, sent, log, table, made: () => made };
}

test("a host that asks without end gets a few tables, and others all", async () => {
  const { clock, stream, ask, sent, log } = thousandRows();
  const all = { from: 0, to: hashEnd };
  const first = await ask("a", 200, all);
  assert.ok(first > 10 && first < 100, `${first}`);
  assert.equal(await ask("a", 10, "buckets"), 0);
  assert.equal(await ask("b", 5, all), 5);
  stream.digest();
  stream.answer("a", "digest");
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(
    sent.slice(-2).map(({ message }) => message.kind),
    ["digest", "digest"],
  );
  assert.deepEqual(log, ["trigger.dhcp.a requests the table more often than any repair needs: it gets fewer answers"]);
  await clock.advance(10 * minute);
  const next = await ask("a", 200, all);
  assert.ok(next > 5 && next < first, `${next}`);
});

test("a question beyond the limit costs no part", async () => {
  for (const everyone of ["trigger.dhcp", "trigger.dhcp.a"]) {
    const { ask, made } = thousandRows(everyone); // the second is a stream of this host alone
    await ask("a", 200, { from: 0, to: hashEnd });
    const before = made();
    assert.ok(before < 100, `${before}`);
    await ask("a", 1_000, { from: 0, to: hashEnd });
    assert.equal(made(), before);
  }
});

test("a host that has all rows gets few comparisons of them", async () => {
  const { ask, made, table } = thousandRows();
  const have = table.sums([0, hashEnd], 1024);
  await ask("a", 4_000, { from: 0, to: hashEnd, have });
  assert.ok(made() > 200 && made() < 500, `${made()}`);
  const { ask: askLittle, made: madeLittle } = thousandRows();
  await askLittle("a", 4_000, { from: 0, to: 1 });
  assert.ok(madeLittle() > 3_000, `${madeLittle()}`);
});

test("digests that are requested in a host's name are one in two seconds", async () => {
  const { clock, ask, log } = thousandRows();
  assert.equal(await ask("a", 1_000, "digest"), 60);
  assert.equal(log.length, 1);
  await clock.advance(10_000);
  assert.equal(await ask("a", 1_000, "digest"), 5);
  assert.equal(await ask("b", 1, "digest"), 1);
});

test("a digest that is requested in a host's name displaces none of its questions", async () => {
  const { stream, sent } = thousandRows();
  stream.answer("a", { from: 0, to: hashEnd }); // while the first digest of the epoch is under way
  stream.answer("a", "digest");
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(
    sent.map(({ message }) => message.kind),
    ["digest", "part"],
  );
});
