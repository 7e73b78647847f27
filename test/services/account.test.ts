import assert from "node:assert/strict";
import { test } from "node:test";
import { evaluationDefaults } from "../../src/core/config/evaluation.ts";
import { Refusal } from "../../src/core/util/errors.ts";
import { account } from "../../src/services/account.ts";
import { Mirror } from "../../src/transcriber/mirror/mirror.ts";
import { directoryApi } from "../../src/transcriber/tables/directory-api.ts";
import { EntryBudget } from "../../src/transcriber/tables/entry-budget.ts";
import { entry } from "./scene.ts";

const today = Date.UTC(2026, 10, 30, 12);
const day = 86_400_000;

/** The usability of an account at a moment, and the time at which the answer changes. */
function at(now: number, attributes: Record<string, string>) {
  let next: number | undefined;
  const timed = (when: number | undefined): void => {
    next = when;
  };
  const directory = directoryApi({
    mirror: new Mirror(),
    now,
    budget: new EntryBudget(evaluationDefaults),
    record: () => {},
    timed,
    timezone: "UTC",
  });
  const values = Object.entries(attributes).map(([name, value]) => [name.toLowerCase(), [value]]);
  const usable = account(entry(["posixAccount"], "alice", Object.fromEntries(values))).usable(directory);
  return { usable, next };
}

const never = { usable: true, next: undefined };
const out = { usable: false, next: undefined };

test("an account without such attributes is usable, and reads no clock", () => {
  assert.deepEqual(at(today, {}), never);
});

for (const [attribute, value, usable] of [
  ["sambaAcctFlags", "[U          ]", true],
  ["sambaAcctFlags", "[XU]", true],
  ["sambaAcctFlags", "[DU         ]", false],
  ["sambaAcctFlags", "[UL]", false],
  ["sambaKickoffTime", "0", true],
  ["sambaKickoffTime", "2147483647", true],
  ["sambaKickoffTime", "1577836800", false],
  ["nsAccountLock", "TRUE", false],
  ["nsAccountLock", "false", true],
  ["loginDisabled", "TRUE", false],
  ["loginDisabled", "FALSE", true],
  ["pwdAccountLockedTime", "000001010000Z", false],
  ["pwdAccountLockedTime", "20200101000000Z", false],
  ["userAccountControl", "512", true],
  ["userAccountControl", "514", false],
  ["userAccountControl", "66050", false],
  ["userAccountControl", "528", false],
  ["userAccountControl", "-2147483136", true],
  ["shadowExpire", "-1", true],
  ["shadowExpire", "0", false],
  ["shadowExpire", "1", false],
  ["accountExpires", "0", true],
  ["accountExpires", "9223372036854775807", true],
  ["krbPrincipalExpiration", "19700101000000Z", true],
  ["accountUnlockTime", "19700101000000Z", false],
  ["accountUnlockTime", "20200101000000Z", true],
] as const) {
  test(`${attribute}: ${value} makes an account ${usable ? "usable" : "unusable"}`, () => {
    assert.deepEqual(at(today, { [attribute]: value }), usable ? never : out);
  });
}

const filetime = (moment: number): string => String((BigInt(moment) + 11_644_473_600_000n) * 10_000n);
const generalized = (moment: number): string => `${new Date(moment).toISOString().slice(0, 19).replace(/[-:T]/g, "")}Z`;
const midnight = Math.ceil(today / day) * day;

for (const [attribute, value, moment] of [
  ["shadowExpire", String(midnight / day), midnight],
  ["sambaKickoffTime", String(today / 1000 + 5), today + 5000],
  ["accountExpires", filetime(today + 5000), today + 5000],
  ["krbPrincipalExpiration", generalized(today + 5000), today + 5000],
  ["pwdEndTime", generalized(today + 5000), today + 5000],
] as const) {
  test(`${attribute} ends an account at exactly its time`, () => {
    assert.deepEqual(at(today, { [attribute]: value }), { usable: true, next: moment });
    assert.deepEqual(at(moment - 1, { [attribute]: value }), { usable: true, next: moment });
    assert.deepEqual(at(moment, { [attribute]: value }), out);
  });
}

for (const attribute of ["pwdStartTime", "accountUnlockTime"]) {
  test(`${attribute} makes an account unusable until its time`, () => {
    const value = { [attribute]: generalized(today + 5000) };
    assert.deepEqual(at(today, value), { usable: false, next: today + 5000 });
    assert.equal(at(today + 5000, value).usable, true);
  });
}

test("the first of several end times counts", () => {
  const ends = { shadowExpire: String(midnight / day), accountExpires: filetime(today + 5000) };
  assert.equal(at(today, ends).next, today + 5000);
  assert.equal(at(today + 5000, ends).usable, false);
});

for (const [attribute, value] of [
  ["sambaAcctFlags", "DU"],
  ["shadowExpire", "soon"],
  ["sambaKickoffTime", "99999999999999999"],
  ["shadowExpire", "99999999999999999999"],
  ["accountExpires", "2026-12-31"],
  ["userAccountControl", "0x202"],
  ["krbPrincipalExpiration", "tomorrow"],
] as const) {
  test(`${attribute}: ${value} cannot be read, and refuses the row`, () => {
    assert.throws(
      () => at(today, { [attribute]: value }),
      (error) => error instanceof Refusal && error.message.includes(attribute),
    );
  });
}
