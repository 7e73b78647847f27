import assert from "node:assert/strict";
import { test } from "node:test";
import { emptyStore } from "../../test/fixtures/empty-store.ts";
import type { TranscriberState } from "../core/stream/transcriber-state.ts";
import { hostStore } from "../host/store/host-store.ts";
import { virtualClock } from "../testing/virtual-clock.ts";
import type { Transcriber } from "../transcriber/transcriber.ts";
import { forgetState, noteState } from "./note-state.ts";

const stateOf = (entries: number): TranscriberState => ({
  ...{ active: true, epoch: 7, complete: true, trouble: undefined, troubleSince: undefined, entries },
  services: {},
});

/** A transcriber with a state that a test sets, and a store whose writes are counted and may fail. */
function noting() {
  const database = emptyStore();
  const { transcriber: notes } = hostStore(database);
  const clock = virtualClock(Date.UTC(2026, 10, 22));
  const stop = new AbortController();
  const logged: string[] = [];
  const world = { entries: 0, writes: 0, full: false };
  const failing = (): void => {
    world.writes += 1;
    if (world.full) throw new Error("database or disk is full");
  };
  const store = {
    transcriber: {
      ...notes,
      keepState(state: TranscriberState) {
        failing();
        notes.keepState(state);
      },
      forgetState() {
        failing();
        notes.forgetState();
      },
    },
  };
  const parts = {
    ...{ store: store as ReturnType<typeof hostStore>, clock, signal: stop.signal },
    log: (line: string): void => void logged.push(line),
  };
  const transcriber = { state: () => stateOf(world.entries) } as Transcriber;
  return {
    ...{ world, notes, clock, stop, logged, parts },
    note: () => noteState(transcriber, parts),
    stored: () => notes.state()?.entries,
    [Symbol.dispose]: () => database.close(),
  };
}

const failed = "the transcriber's state for `trigger status`: database or disk is full; trying again";
const recovered = "the transcriber's state for `trigger status`: recovered";

test("a state is written at once, and half a second after it changed", async () => {
  using scene = noting();
  const { world, clock, stop, note, stored } = scene;
  world.entries = 1;
  const noted = note();
  await clock.advance(0);
  assert.equal(stored(), 1);
  world.entries = 2;
  await clock.advance(499);
  assert.equal(stored(), 1);
  await clock.advance(1);
  assert.equal(stored(), 2);
  stop.abort();
  await noted;
});

test("an unchanged state is written once", async () => {
  using scene = noting();
  const { world, clock, stop, note } = scene;
  const noted = note();
  await clock.advance(60_000);
  assert.equal(world.writes, 1);
  stop.abort();
  await noted;
});

test("a full disk is logged once, and the newest state written after it", async () => {
  using scene = noting();
  const { world, clock, stop, logged, note, stored } = scene;
  world.full = true;
  world.entries = 1;
  const noted = note();
  await clock.advance(60_000);
  assert.deepEqual(logged, [failed]);
  assert.equal(stored(), undefined);
  world.full = false;
  world.entries = 2;
  await clock.advance(60_000);
  assert.deepEqual(logged, [failed, recovered]);
  assert.equal(stored(), 2);
  stop.abort();
  await noted;
});

test("a state that comes back after a write of another one is written", async () => {
  using scene = noting();
  const { world, clock, stop, note, stored } = scene;
  world.full = true;
  const noted = note();
  await clock.advance(0);
  world.entries = 1;
  world.full = false;
  while (stored() !== 1) await clock.advance(100);
  world.entries = 0;
  await clock.advance(1000);
  assert.equal(stored(), 0);
  stop.abort();
  await noted;
});

test("the state of the process before is forgotten", async () => {
  using scene = noting();
  const { notes, parts, stored } = scene;
  notes.keepState(stateOf(5));
  assert.equal(stored(), 5);
  await forgetState(parts);
  assert.equal(notes.state(), undefined);
});

test("on a full disk the state before is forgotten later", async () => {
  using scene = noting();
  const { world, notes, clock, logged, parts } = scene;
  notes.keepState(stateOf(5));
  world.full = true;
  const forgotten = forgetState(parts);
  await clock.advance(60_000);
  assert.deepEqual(logged, [failed]);
  world.full = false;
  await clock.advance(60_000);
  await forgotten;
  assert.equal(notes.state(), undefined);
  assert.deepEqual(logged, [failed, recovered]);
});

test("the signal ends a write that still fails, without an error", async () => {
  using scene = noting();
  const { world, clock, stop, note } = scene;
  world.full = true;
  const noted = note();
  await clock.advance(1000);
  stop.abort();
  await noted;
  const { writes } = world;
  await clock.advance(60_000);
  assert.equal(world.writes, writes);
});
