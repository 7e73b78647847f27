import assert from "node:assert/strict";
import { test } from "node:test";
import { follow } from "../../../test/servers/follow.ts";
import { baseLdif, startSlapd } from "../../../test/servers/slapd.ts";
import { systemClock } from "../../daemon/clock.ts";
import { ldapSource } from "./source.ts";

const base = "dc=campus,dc=example";
const device = (name: string, serial: string): string =>
  `dn:: ${Buffer.from(`cn=${name},${base}`).toString("base64")}\nchangetype: add\nobjectClass: device\ncn:: ${Buffer.from(name).toString("base64")}\nserialNumber: ${serial}\n\n`;

test("no name that slapd takes beside another takes anything from it", async () => {
  await using server = await startSlapd({ ldif: baseLdif });
  await server.modify(device("router", "1"));
  await using follower = follow(ldapSource({ url: server.ldapiUrl, base, clock: systemClock, log: () => {} }));
  await follower.refresh();
  const serial = (name: string) => follower.mirror.named(`cn=${name},${base}`)?.attributes.get("serialnumber")?.[0];
  const twins = ["\u00ad", "\u200b", "\u202e", "\ufe00", "\u0001", "\u0085"].map((hidden) => `rou${hidden}ter`);
  await server.modify(twins.map((name, index) => device(name, `twin ${index}`)).join(""));
  await follower.until(() => follower.mirror.size === 2 + twins.length);
  assert.equal(serial("router"), "1");
  assert.deepEqual(
    twins.map(serial),
    twins.map((_, index) => `twin ${index}`),
  );
  const gone = twins.map(
    (name) => `dn:: ${Buffer.from(`cn=${name},${base}`).toString("base64")}\nchangetype: delete\n\n`,
  );
  await server.modify(gone.join(""));
  await follower.until(() => follower.mirror.size === 2);
  assert.equal(serial("ROUTER"), "1");
});
