import assert from "node:assert/strict";
import { test } from "node:test";
import { follow } from "../../../test/servers/follow.ts";
import { startSlapd } from "../../../test/servers/slapd.ts";
import { cutTo } from "../../../test/servers/tcp-cut.ts";
import { systemClock } from "../../daemon/clock.ts";
import type { Clock } from "../../ports/clock.ts";
import { ldapSource } from "./source.ts";

/** A clock with short half minutes between two probes of a silent server. The test can advance it. */
function quickClock(): Clock & { ahead: number } {
  const clock = {
    ahead: 0,
    now: systemClock.now,
    monotonic: () => systemClock.monotonic() + clock.ahead,
    sleep: (ms: number, signal?: AbortSignal) => systemClock.sleep(ms === 30_000 ? 100 : ms, signal),
  };
  return clock;
}

test("a server that vanishes in silence is noticed, a quiet one stays", async () => {
  await using server = await startSlapd();
  await using door = await cutTo(server.port);
  const url = `ldap://127.0.0.1:${door.port}`;
  await using follower = follow(ldapSource({ url, base: server.base, clock: quickClock(), log: () => {} }));
  await follower.refresh();
  const answered = door.passed;
  while (door.passed === answered) await new Promise((resolve) => setTimeout(resolve, 5)); // it was asked, and answered
  door.silent = true;
  const { why } = await follower.trouble();
  assert.match(why, /the server has said nothing for 30 s/);
  door.silent = false;
  await follower.until(() => follower.seen.at(-1)?.kind === "refresh");
});

test("the whole directory is read again once a day", async () => {
  await using server = await startSlapd();
  const clock = quickClock();
  const log: string[] = [];
  const options = { url: server.url, base: server.base, clock, log: (line: string) => log.push(line) };
  await using follower = follow(ldapSource(options));
  await follower.refresh();
  clock.ahead = 24 * 60 * 60 * 1000;
  await follower.refresh();
  assert.ok(log.includes("the directory: a day has passed: reading it whole again"), log.join("\n"));
});

test("a server that accepts a connection in silence is trouble after ten seconds", async () => {
  await using server = await startSlapd();
  await using door = await cutTo(server.port);
  door.silent = true;
  const quick = quickClock();
  const clock = {
    ...quick,
    sleep: (ms: number, signal?: AbortSignal) => quick.sleep(ms === 10_000 ? 200 : ms, signal),
  };
  const bind = { bindDn: server.adminDn, password: server.password };
  const url = `ldap://127.0.0.1:${door.port}`;
  await using follower = follow(ldapSource({ url, base: server.base, ...bind, clock, log: () => {} }));
  assert.match((await follower.trouble()).why, /the bind as cn=admin,.* failed: no answer within 10 s/);
});
