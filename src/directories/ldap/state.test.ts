import assert from "node:assert/strict";
import { test } from "node:test";
import { laterState } from "./state.ts";

const csn = (second: number, server: number): string => `202611221000${second}.000000Z#000000#00${server}#000000`;

test("each server's highest CSN stays after its clock was set back", () => {
  const state = [csn(10, 1), csn(20, 2)];
  assert.deepEqual(laterState(state, [csn(11, 1)]), [csn(11, 1), csn(20, 2)]);
  assert.deepEqual(laterState(state, [csn(10, 2)]), state);
  assert.deepEqual(laterState(state, [csn(15, 3)]), [...state, csn(15, 3)]);
  assert.deepEqual(laterState(state, []), state);
});
