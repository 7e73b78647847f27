import assert from "node:assert/strict";
import { test } from "node:test";
import { row, simulatedService } from "../../../test/fixtures/host.ts";
import { storeOf } from "../../../test/fixtures/host-parts.ts";
import { RemovalsNotice } from "./removals-notice.ts";

/** A store in which removals can be held, and the notice about them. */
function world() {
  const parts = storeOf(simulatedService().definition);
  const insert = parts.database.prepare("INSERT INTO row (service, key, hash, applied) VALUES ('dhcp', ?, 1, ?)");
  const update = parts.database.prepare("UPDATE row SET retained_by = ?, detail = ?, since = ? WHERE key = ?");
  return {
    ...parts,
    notice: new RemovalsNotice(parts.store, parts.context.log),
    hold(key: string): void {
      insert.run(key, row(key, "10.0.0.1"));
      update.run("removals", "", 1, key);
    },
    release: (key: string) => update.run(null, null, null, key),
    [Symbol.asyncDispose]: () => parts.end(),
  };
}

test("held removals are logged once, and again when they change", async () => {
  await using all = world();
  all.notice.say();
  assert.deepEqual(all.logged, []);
  all.hold("k");
  all.notice.say();
  all.notice.say();
  assert.equal(all.logged.length, 1);
  assert.match(all.logged[0] ?? "", /`trigger approve dhcp [0-9a-f]{8}`/);
  all.hold("l");
  all.notice.say();
  assert.equal(all.logged.length, 2);
});

test("a second look is taken only at held removals", async () => {
  await using all = world();
  all.hold("k");
  all.notice.sayAgain();
  assert.deepEqual(all.logged, []);
  all.notice.say();
  all.release("k");
  all.hold("l");
  all.notice.sayAgain();
  assert.equal(all.logged.length, 2);
});

test("a digest that cannot be stored is logged and ends no run", async () => {
  await using all = world();
  all.hold("k");
  all.database.exec(
    "CREATE TRIGGER full BEFORE INSERT ON held_removals BEGIN SELECT RAISE(ABORT, 'the disk is full'); END",
  );
  all.notice.say();
  assert.deepEqual(all.logged, ["the digest of its held removals could not be stored: the disk is full"]);
});
