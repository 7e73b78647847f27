import assert from "node:assert/strict";
import { test } from "node:test";
import { baseLdif, startSlapd } from "../../../test/servers/slapd.ts";
import { until } from "../../../test/until.ts";
import { systemClock } from "../../daemon/clock.ts";
import { ldapSource } from "./source.ts";

test("a password that was refused is not tried again within a minute", async () => {
  await using server = await startSlapd({ ldif: baseLdif });
  const sleeps: number[] = [];
  const sleep = (milliseconds: number, signal?: AbortSignal): Promise<void> => {
    sleeps.push(milliseconds);
    return systemClock.sleep(milliseconds, signal);
  };
  const access = { url: server.url, base: server.base, bindDn: server.adminDn, password: "wrong" };
  const stop = new AbortController();
  const source = ldapSource({ ...access, clock: { ...systemClock, sleep }, log() {} });
  const changes = source.changes(stop.signal)[Symbol.asyncIterator]();
  const { value } = await changes.next();
  assert.equal(value.kind, "trouble");
  const before = sleeps.length;
  const next = changes.next();
  await until(() => sleeps.length > before);
  assert.ok(sleeps[before]! >= 60_000, `it waits for ${sleeps[before]} ms`);
  stop.abort();
  await next;
});
