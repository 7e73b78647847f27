import assert from "node:assert/strict";
import { test } from "node:test";
import { concurrently } from "./concurrently.ts";

const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));

test("the first failure aborts the other tasks and is thrown once they have settled", async () => {
  const settled: string[] = [];
  const tasks = [
    async (signal: AbortSignal) => untilAborted(signal).finally(() => settled.push("other")),
    async () => {
      throw new Error("no disk");
    },
  ];
  await assert.rejects(concurrently(new AbortController().signal, tasks), /no disk/);
  assert.deepEqual(settled, ["other"]);
});

test("tasks that end by the signal have not failed", async () => {
  const stop = new AbortController();
  const running = concurrently(stop.signal, [untilAborted, untilAborted]);
  stop.abort(new Error("stopped"));
  await running;
});
