import assert from "node:assert/strict";
import { test } from "node:test";
import { follow } from "../../../test/servers/follow.ts";
import { entryFound, resultOf, scriptedLdap } from "../../../test/servers/scripted-ldap.ts";
import { baseLdif, startSlapd } from "../../../test/servers/slapd.ts";
import { systemClock } from "../../daemon/clock.ts";
import { openBinding } from "./binding.ts";
import { ldapSource } from "./source.ts";

const base = "dc=campus,dc=example";
const sync = "1.3.6.1.4.1.4203.1.9.1.1";
const options = (url: string) => ({ url, base, clock: systemClock, log() {} });
/** An unknown critical control, as Samba answers it: an extended response, with neither a name nor a value. */
const sambaAnswer = Buffer.from("300c02010378070a010c04000400", "hex");

/** The answers about the root DSE and the schema, and to the third request. */
function answer(id: number, dse: Record<string, string[]> | undefined, search: readonly Buffer[]): readonly Buffer[] {
  if (id === 1) return [...(dse ? [entryFound(1, "", dse)] : []), resultOf(1, 0x65)];
  return id === 2 ? [resultOf(2, 0x65)] : search;
}

/** The trouble of a reader with a server of this root DSE, and with this answer to a search for the content. */
async function troubleWith(dse: Record<string, string[]> | undefined, search: readonly Buffer[] = []): Promise<string> {
  await using server = await scriptedLdap((id) => answer(id, dse, search));
  await using follower = follow(ldapSource(options(server.url)), { within: 5_000 });
  return (await follower.trouble()).why;
}

test("Samba is refused by its root DSE, with the remedy", async () => {
  const why = await troubleWith({
    supportedControl: ["1.2.840.113556.1.4.319", "1.2.840.113556.1.4.841"],
    supportedCapabilities: ["1.2.840.113556.1.4.800"],
    vendorName: ["Samba Team (https://www.samba.org)"],
  });
  assert.match(why, /Samba Team \(https:\/\/www\.samba\.org\) does not offer content synchronization \(RFC 4533, /);
  assert.match(why, /control 1\.3\.6\.1\.4\.1\.4203\.1\.9\.1\.1.*ldapsearch -x -LLL -E pr=.* && mv .*directory\.ldif/);
});

test("Active Directory and a 389 Directory Server are refused by their names", async () => {
  const capabilities = {
    supportedControl: ["1.2.840.113556.1.4.319"],
    supportedCapabilities: ["1.2.840.113556.1.4.800"],
  };
  assert.match(await troubleWith(capabilities), /: Active Directory does not offer content synchronization/);
  const vendor = { vendorName: ["389 Project"], vendorVersion: ["389-Directory/2.3.1 B2024.001.0000"] };
  const without = await troubleWith({ supportedControl: ["2.16.840.1.113730.3.4.2"], ...vendor });
  assert.match(
    without,
    /389 Project 389-Directory\/2\.3\.1 \S+ does not offer content synchronization.*directory\.ldif/,
  );
  const offering = await troubleWith({ supportedControl: [sync], ...vendor });
  assert.match(offering, /389-Directory.* has no contextCSN, which tells an older content.*directory\.ldif/);
});

test("an answer of the wrong kind is trouble, though the root DSE is hidden", async () => {
  assert.match(await troubleWith(undefined, [sambaAnswer]), /result 12 unavailableCriticalExtension/);
  assert.match(await troubleWith(undefined, [resultOf(3, 0x78)]), /another message than the answer: operation 0x78/);
  assert.match(await troubleWith(undefined, [resultOf(3, 0x61)]), /another message than the answer: operation 0x61/);
});

test("389 Directory Server with a hidden root DSE is refused with the remedy", async () => {
  const why = await troubleWith(undefined, [resultOf(3, 0x65, 2, "Bad search filter")]);
  assert.match(why, /result 2 protocolError \("Bad search filter"\): .*trigger follows OpenLDAP.*directory\.ldif/);
});

test("a slapd without syncprov is refused with the line to load it", async () => {
  await using server = await startSlapd({ syncprov: "unloaded" });
  await using follower = follow(ldapSource(options(server.url)));
  assert.match((await follower.trouble()).why, /OpenLDAP does not offer.*"moduleload syncprov".*"overlay syncprov"/);
});

test("an unreadable root DSE does not prevent the reading", async () => {
  const ldif = `${baseLdif}\ndn: cn=a,${base}\nobjectClass: device\ncn: a\n`;
  await using server = await startSlapd({ ldif, frontend: ['to dn.exact="" by * none'] });
  await using follower = follow(ldapSource(options(server.url)));
  assert.equal((await follower.refresh()).entries.length, 2);
});

test("a server without the empty filter of RFC 4526 is asked for (objectClass=*)", async () => {
  const asked = async (features: string[]): Promise<boolean> => {
    const dse = { supportedControl: [sync], supportedFeatures: features };
    await using server = await scriptedLdap((id) => answer(id, dse, [sambaAnswer]));
    await using follower = follow(ldapSource(options(server.url)));
    await follower.trouble();
    const present = Buffer.from("\x87\x0bobjectClass", "latin1"); // of a filter (RFC 4511, 4.5.1.7.5)
    return server.asked[2]?.includes(present) ?? false;
  };
  assert.equal(await asked(["1.3.6.1.1.14"]), true);
  assert.equal(await asked(["1.3.6.1.1.14", "1.3.6.1.4.1.4203.1.5.3"]), false);
});

test("a write answered by an extended response is refused without waiting", { timeout: 10_000 }, async ({ signal }) => {
  await using server = await scriptedLdap((id) => [resultOf(id, 0x78, 12, "no such control")]);
  const binding = await openBinding({ ...options(server.url), signal });
  await assert.rejects(
    binding.write({ kind: "delete", dn: `cn=a,${base}` }),
    /^UserError: cn=a,.*the server cannot report the result of a write .*result 12: no such control/,
  );
  binding.close();
});
