import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Timers } from "./timers.ts";

test("timers are due in order, each at the time it was last set to", () => {
  const setting = fc.record({ uuid: fc.constantFrom(..."abcdefgh"), at: fc.option(fc.nat(50), { nil: undefined }) });
  fc.assert(
    fc.property(fc.array(setting, { maxLength: 300 }), fc.nat(60), (settings, now) => {
      const timers = new Timers();
      const model = new Map<string, number>();
      for (const { uuid, at } of settings) {
        timers.set(uuid, at);
        if (at === undefined) model.delete(uuid);
        else model.set(uuid, at);
        assert.equal(timers.first(), model.size > 0 ? Math.min(...model.values()) : undefined);
      }
      const due = [...model].filter(([, at]) => at <= now).map(([uuid]) => uuid);
      assert.deepEqual(timers.due(now).sort(), due.sort());
      assert.deepEqual(timers.due(now), []);
    }),
  );
});
