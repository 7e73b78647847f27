import assert from "node:assert/strict";
import { test } from "node:test";
import { emptyStore } from "../../../test/fixtures/empty-store.ts";
import { simulatedService } from "../../../test/fixtures/host.ts";
import { queueName, queueOf } from "../../core/stream/routing.ts";
import { memoryHub } from "../../testing/memory-broker.ts";
import { virtualClock } from "../../testing/virtual-clock.ts";
import { hostStore } from "../store/host-store.ts";
import { reporter } from "./reporter.ts";

const queue = queueName("civet", "report");

async function scene() {
  const clock = virtualClock(Date.UTC(2026, 0, 1));
  const database = emptyStore();
  const hub = memoryHub();
  const broker = hub.connect();
  await broker.declare([queueOf("civet", "report", "report")]);
  const logged: string[] = [];
  const stop = new AbortController();
  const changed = reporter(
    {
      ...{ name: "a", store: hostStore(database), clock, signal: stop.signal },
      services: new Map([["dhcp", simulatedService().definition]]),
      log: (line) => void logged.push(line),
    },
    broker,
  );
  return {
    ...{ clock, database, logged, changed },
    /** The times at which the sent reports were made. */
    sent: (): number[] => hub.look(queue).map(({ body }) => JSON.parse(Buffer.from(body).toString()).at - clock.now()),
    [Symbol.dispose]() {
      stop.abort();
      database.close();
    },
  };
}

test("a change is reported at once, later ones together after a second", async () => {
  using world = await scene();
  const { clock, changed, sent } = world;
  changed();
  await clock.advance(0);
  assert.deepEqual(sent(), [0]);
  changed();
  changed();
  await clock.advance(999);
  assert.deepEqual(sent(), [-999]);
  await clock.advance(2001);
  assert.deepEqual(sent(), [-3000, -2000]);
});

test("an unreadable store is logged, and the next change reported again", async () => {
  using world = await scene();
  const { clock, database, logged, changed, sent } = world;
  database.exec("ALTER TABLE service RENAME TO away");
  changed();
  await clock.advance(1000);
  assert.deepEqual(sent(), []);
  assert.deepEqual(logged, ["a report was not sent: no such table: service"]);

  database.exec("ALTER TABLE away RENAME TO service");
  changed();
  await clock.advance(0);
  assert.deepEqual(sent(), [0]);
});
