import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { follow, shownLdif, shownMirror } from "../../../test/servers/follow.ts";
import { baseLdif, command, startSlapd } from "../../../test/servers/slapd.ts";
import { cutTo } from "../../../test/servers/tcp-cut.ts";
import { systemClock } from "../../daemon/clock.ts";
import { ldapSource } from "./source.ts";

const top = "dc=campus,dc=example";

function campusLdif(members: number): string {
  const entries = Array.from({ length: members }, (_, n) => {
    const person = `objectClass: inetOrgPerson\nobjectClass: posixAccount\nuid: u${n}\ncn: Zoé ${n}\nsn: Ünal\nmail: u${n}@campus.example`;
    return `dn: uid=u${n},ou=members,${top}\n${person}\nuidNumber: ${n}\ngidNumber: 1\nhomeDirectory: /home/u${n}\n\n`;
  });
  return `${baseLdif}\ndn: ou=members,${top}\nobjectClass: organizationalUnit\nou: members\n\n${entries.join("")}`;
}

test("a refresh that breaks anywhere changes nothing, and the next one is whole", async () => {
  await using server = await startSlapd({ ldif: campusLdif(300) });
  await using door = await cutTo(server.port);
  const log = (): void => {};
  const source = ldapSource({ url: `ldap://127.0.0.1:${door.port}`, base: top, clock: systemClock, log });
  await using follower = follow(source);
  await follower.refresh();
  const whole = shownMirror(follower.mirror);
  for (const bytes of [0, 20, 5_000, 100_000]) {
    door.after = bytes;
    const before = door.cuts;
    source.refresh();
    await follower.until(() => follower.seen.at(-1)?.kind === "trouble" && door.cuts > before);
    assert.deepEqual(shownMirror(follower.mirror), whole, `cut after ${bytes} bytes`);
  }
  await server.modify(`dn: uid=u7,ou=members,${top}\nchangetype: delete\n`);
  door.after = Number.POSITIVE_INFINITY;
  await follower.until(() => follower.seen.at(-1)?.kind === "refresh");
  assert.equal(follower.mirror.size, 301);
  assert.deepEqual(shownMirror(follower.mirror), shownLdif(server.slapcat()));
});

test("50,000 entries are read as one refresh, with logged progress", { timeout: 200_000 }, async (t) => {
  await using server = await startSlapd({ ldif: campusLdif(50_000) });
  const lines: string[] = [];
  const log = (line: string): void => void lines.push(line);
  await using follower = follow(ldapSource({ url: server.ldapiUrl, base: top, clock: systemClock, log }), {
    within: 150_000,
  });
  const started = performance.now();
  const { entries } = await follower.refresh();
  const took = performance.now() - started;
  assert.equal(entries.length, 50_002);
  t.diagnostic(`read in ${Math.round(took)} ms`);
  assert.deepEqual(
    lines.slice(0, 5),
    [1, 2, 3, 4, 5].map((step) => `the directory: ${step * 10_000} entries read…`),
  );
  assert.match(lines[5] ?? "", /^the directory: 50002 entries read in \d+\.\d s$/);
});

test("entries sent over TLS meanwhile are taken together, with pauses for other work", async () => {
  const members = 450;
  await using server = await startSlapd({ ldif: campusLdif(members), tls: true });
  const stop = new AbortController();
  const access = { url: server.ldapsUrl, ca: readFileSync(server.ca, "utf8") };
  const source = ldapSource({ ...access, base: top, clock: systemClock, log: () => {} });
  const deletions = Array.from(
    { length: members },
    (_, n) => `dn: uid=u${n},ou=members,${top}\nchangetype: delete\n\n`,
  );
  let [removed, changes, turns] = [0, 0, 0];
  const others = setInterval(() => (turns += 1), 0).unref();
  for await (const change of source.changes(stop.signal)) {
    if (change.kind === "refresh") {
      const words = ["-x", "-H", server.url, "-D", server.adminDn, "-w", server.password];
      execFileSync(command("ldapmodify"), words, { input: deletions.join(""), stdio: ["pipe", "ignore", "inherit"] });
      turns = 0;
    }
    if (change.kind !== "change") continue;
    removed += change.removed.length;
    changes += 1;
    const busyUntil = performance.now() + 3;
    while (performance.now() < busyUntil);
    if (removed === members) stop.abort();
  }
  clearInterval(others);
  assert.equal(removed, members);
  assert.ok(changes < members / 5, `${changes} changes`);
  assert.ok(turns >= changes / 2, `${turns} turns of others in ${changes} changes`);
});
