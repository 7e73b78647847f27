import assert from "node:assert/strict";
import { test } from "node:test";
import type { SourceChange } from "../../ports/directory.ts";
import { virtualClock } from "../../testing/virtual-clock.ts";
import { followSource } from "./follow-source.ts";

test("a source that ends is trouble, and is followed again after growing waits", async () => {
  const clock = virtualClock(0);
  const stop = new AbortController();
  const begun: number[] = [];
  const taken: SourceChange[] = [];
  const source = {
    async *changes() {
      begun.push(clock.monotonic());
      yield* [] as SourceChange[];
    },
  };
  const take = async (change: SourceChange): Promise<void> => void taken.push(change);
  const done = followSource(source, take, { clock, signal: stop.signal, known: () => undefined });
  await clock.advance(1_000);
  assert.deepEqual(begun, [0, 100, 300, 700]);
  assert.deepEqual(taken.at(-1), { kind: "trouble", why: "the directory's source has ended" });
  stop.abort();
  await done;
});

test("the next change is read once the last one is taken", async () => {
  const stop = new AbortController();
  const order: string[] = [];
  const source = {
    async *changes() {
      for (const name of ["a", "b"]) {
        order.push(`reads ${name}`);
        yield { kind: "trouble", why: name } as const;
      }
      stop.abort();
    },
  };
  const take = async (change: SourceChange): Promise<void> => {
    await new Promise((resolve) => setImmediate(resolve));
    if (change.kind === "trouble") order.push(`takes ${change.why}`);
  };
  await followSource(source, take, { clock: virtualClock(0), signal: stop.signal, known: () => undefined });
  assert.deepEqual(order, ["reads a", "takes a", "reads b", "takes b"]);
});
