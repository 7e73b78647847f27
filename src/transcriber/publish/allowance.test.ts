import assert from "node:assert/strict";
import { test } from "node:test";
import { CellTable } from "../../core/stream/cell-table.ts";
import { hashEnd } from "../../core/stream/digest.ts";
import { type StreamMessage, streamMessage } from "../../core/stream/messages.ts";
import { virtualClock } from "../../testing/virtual-clock.ts";
import { allowances } from "./allowance.ts";
import { openStream } from "./stream.ts";

const minute = 60_000;

/** The stream of a table of a thousand rows to two hosts. */
function thousandRows() {
  const clock = virtualClock(0);
  const table = new CellTable("dhcp");
  table.apply(Array.from({ length: 1_000 }, (_, row) => [`key ${row}`, "{}"]));
  const log: string[] = [];
  const sent: { key: string; message: StreamMessage }[] = [];
  const stream = openStream({
    ...{ service: "dhcp", everyone: "trigger.dhcp", hosts: ["a", "b"], table },
    asOf: () => ({ state: [], clock: 0 }),
    applying: () => false,
    allows: allowances(clock),
    async publish(key, body) {
      sent.push({ key, message: streamMessage.parse(JSON.parse(body)) });
    },
    revive: async () => {},
    log: (line) => void log.push(line),
  });
  stream.begin(7, false);
  /** Requests a part `times` times as a host; returns the number of answers. */
  const ask = async (host: string, times: number, want: "buckets" | { from: number; to: number }): Promise<number> => {
    const before = sent.length;
    for (let asked = 0; asked < times; asked++) {
      stream.answer(host, want);
      await new Promise((resolve) => setImmediate(resolve));
    }
    return sent.slice(before).filter(({ key }) => key === `trigger.dhcp.${host}`).length;
  };
  return { clock, stream, ask, sent, log };
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
