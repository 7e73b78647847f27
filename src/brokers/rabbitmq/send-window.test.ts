import assert from "node:assert/strict";
import { test } from "node:test";
import { virtualClock } from "../../testing/virtual-clock.ts";
import { sendWindow } from "./send-window.ts";

function opened() {
  const clock = virtualClock(0);
  const window = sendWindow(clock);
  const ended: string[] = [];
  const add = (key: string, bytes = 1): void =>
    window.add({
      ...{ key, body: Buffer.alloc(bytes), messageId: undefined },
      done: () => ended.push(`${key} confirmed`),
      failed: (error) => ended.push(error.message),
    });
  /** The keys of the messages that may be sent now. */
  const sent = (): string[] => {
    const keys: string[] = [];
    for (let next = window.next(); next; next = window.next()) keys.push(next[1].key);
    return keys;
  };
  return { clock, window, add, sent, ended };
}

test("five hundred messages are in flight at most, in the order of the calls", () => {
  const { window, add, sent } = opened();
  const keys = Array.from({ length: 502 }, (_, index) => `q${index}`);
  for (const key of keys) add(key);
  assert.deepEqual(sent(), keys.slice(0, 500));
  assert.equal(window.land("3")?.key, "q2");
  assert.deepEqual(sent(), ["q500"]);
  assert.equal(window.size, 501);
});

test("sixteen megabytes in flight let no further message go", () => {
  const { window, add, sent } = opened();
  const half = 8 * 1024 * 1024;
  for (const key of ["a", "b", "c"]) add(key, half);
  assert.deepEqual(sent(), ["a", "b"]);
  window.land("1");
  assert.deepEqual(sent(), ["c"]);
});

test("a message beyond 10,000 or 64 MB that wait is refused", () => {
  const many = opened();
  for (let index = 0; index < 10_000; index++) many.add("q");
  assert.throws(
    () => many.add("q"),
    /^BrokerTrouble: the message to q was not sent: 10000 wait for the broker already$/,
  );
  many.sent();
  many.add("q");
  const large = opened();
  for (let index = 0; index < 4; index++) large.add("q", 16 * 1024 * 1024);
  assert.throws(() => large.add("q"), /: 4 wait for the broker already$/);
  large.window.loseWaiting("the end");
  large.add("q");
});

test("a flight ends once, and by its own id alone", () => {
  const { window, add, sent } = opened();
  add("a");
  assert.equal(window.inFlight("1"), undefined);
  sent();
  assert.equal(window.inFlight("1")?.key, "a");
  assert.equal(window.land("2"), undefined);
  assert.equal(window.land("1")?.key, "a");
  assert.equal(window.land("1"), undefined);
  assert.equal(window.inFlight("1"), undefined);
});

test("the oldest message is as old as the confirm before it", async () => {
  const { clock, window, add, sent } = opened();
  assert.equal(window.oldest(), undefined);
  for (const key of ["a", "b", "c"]) add(key);
  sent();
  await clock.advance(5_000);
  const oldest = (): [string?, number?] => [window.oldest()?.message.key, window.oldest()?.since];
  assert.deepEqual(oldest(), ["a", 0]);
  window.land("2");
  assert.deepEqual(oldest(), ["a", 0]);
  window.land("1");
  assert.deepEqual(oldest(), ["c", 5_000]);
});

test("a message lost in flight may have arrived, a waiting one has not", async () => {
  const { window, add, sent, ended } = opened();
  add("a");
  sent();
  add("b");
  window.loseInFlight("the channel was closed");
  window.loseWaiting("the connection was lost");
  assert.deepEqual(ended, [
    "the message to a was not confirmed, and may have arrived or not: the channel was closed",
    "the message to b was not sent: the connection was lost",
  ]);
  assert.equal(window.size, 0);
  assert.equal(window.land("1"), undefined);
});

test("the window is drained after the last confirm or failure, each time", async () => {
  const { window, add, sent } = opened();
  await window.drained();
  const seen: string[] = [];
  const drain = (name: string): Promise<void> => window.drained().then(() => void seen.push(name));
  add("a");
  add("b");
  const first = drain("first");
  sent();
  window.land("1");
  await Promise.resolve();
  assert.deepEqual(seen, []);
  window.land("2");
  await first;
  add("c");
  const second = drain("second");
  await Promise.resolve();
  assert.deepEqual(seen, ["first"]);
  window.loseWaiting("the end");
  await second;
  assert.deepEqual(seen, ["first", "second"]);
});
