import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { startDebianSlapd } from "../../../test/servers/debian-slapd.ts";
import { type Follower, follow } from "../../../test/servers/follow.ts";
import { baseLdif, startSlapd } from "../../../test/servers/slapd.ts";
import { systemClock } from "../../daemon/clock.ts";
import { ldapSource } from "./source.ts";

// The lines that docs/ldap.md and docs/deployment.md print are given to slapd as they are.

const top = "dc=campus,dc=example";
const bindDn = `cn=trigger,${top}`;
/** A number of entries above the default limit of slapd. */
const devices = Array.from({ length: 600 }, (_, n) => `dn: cn=d${n},${top}\nobjectClass: device\ncn: d${n}\n`);
const content = [baseLdif, ...devices].join("\n");
const followed = `dn: cn=d7,${top}\nchangetype: modify\nreplace: description\ndescription: followed\n`;

const read = (page: string): string => readFileSync(new URL(`../../../docs/${page}`, import.meta.url), "utf8");

/** The indented blocks of a page. */
const blocksOf = (page: string): string[] =>
  (read(page).match(/(?:^ {4}.*\n|^\n(?= {4}))+/gm) ?? []).map((block) => block.replaceAll(/^ {4}/gm, "").trimStart());

function blockWith(page: string, words: string): string {
  const found = blocksOf(page).filter((block) => block.includes(words));
  assert.equal(found.length, 1, `blocks of ${page} with ${words}`);
  return found[0] ?? "";
}

/** All is read but the passwords, and followed. */
async function readsAll(follower: Follower, modify: (ldif: string) => void | Promise<void>): Promise<void> {
  const { entries } = await follower.refresh();
  assert.equal(entries.length, 602);
  assert.ok(entries.every(({ attributes }) => !attributes.has("userpassword")));
  await modify(followed);
  assert.equal((await follower.next()).kind, "change");
  assert.equal(follower.mirror.named(`cn=d7,${top}`)?.attributes.get("description")?.[0], "followed");
}

test("a Debian slapd set up by the pages is followed, also over TLS", async () => {
  await using server = await startDebianSlapd(content);
  const write = (name: string, text: string): void => writeFileSync(join(server.folder, name), text);
  write("reader.ldif", blockWith("ldap.md", "simpleSecurityObject"));
  server.shell(blockWith("ldap.md", "openssl rand"));
  write("trigger.ldif", blockWith("ldap.md", "olcOverlay=syncprov"));
  server.shell(blockWith("ldap.md", "-f trigger.ldif"));
  write("tls.ldif", blockWith("deployment.md", "olcTLSCertificateFile").replaceAll("/etc/ldap", server.folder));
  server.shell(/`(ldapmodify .* -f tls\.ldif)`/.exec(read("deployment.md"))?.[1] ?? assert.fail());

  const password = readFileSync(join(server.folder, "ldap.password"), "utf8");
  const ca = readFileSync(join(server.folder, "ca.pem"), "utf8");
  const settings = { base: top, bindDn, password, clock: systemClock, log: () => {} };
  const modify = (ldif: string): void => {
    write("change.ldif", ldif);
    server.shell(`ldapmodify -x -H ldapi:/// -D cn=admin,${top} -W -f change.ldif`);
  };
  await using follower = follow(ldapSource({ url: server.ldapsUrl, ca, ...settings }));
  await readsAll(follower, modify);
});

test("the page's lines for slapd.conf suffice, also across restarts", async () => {
  const lines = blockWith("ldap.md", "moduleload syncprov").split("\n");
  const access = lines.flatMap((line) => /^access (.*)$/.exec(line)?.[1] ?? []);
  const database = lines.filter((line) => /^(limits|overlay|syncprov)/.test(line));
  assert.deepEqual([access.length, database.length], [3, 3]);
  const reader = `dn: ${bindDn}\nobjectClass: person\ncn: trigger\nsn: trigger\nuserPassword: a word\n`;
  await using server = await startSlapd({ ldif: `${content}\n${reader}`, access, database, syncprov: false });
  const settings = { url: server.url, base: top, bindDn, password: "a word", clock: systemClock, log: () => {} };
  await using follower = follow(ldapSource(settings));
  await readsAll(follower, server.modify);
  await server.restart();
  await follower.until(() => follower.seen.at(-1)?.kind === "refresh");
  assert.equal(follower.mirror.named(`cn=d7,${top}`)?.attributes.get("description")?.[0], "followed");
});
