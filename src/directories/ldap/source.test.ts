import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { collect } from "../../../test/heap.ts";
import { type Follower, follow, shown, shownLdif, shownMirror } from "../../../test/servers/follow.ts";
import { baseLdif, type Slapd, startSlapd } from "../../../test/servers/slapd.ts";
import { until } from "../../../test/until.ts";
import { olderState } from "../../core/stream/messages.ts";
import { systemClock } from "../../daemon/clock.ts";
import { type LdapSourceOptions, ldapSource } from "./source.ts";

const options = (server: Slapd, more: Partial<LdapSourceOptions> = {}): LdapSourceOptions => ({
  ...{ url: server.url, base: server.base, clock: systemClock, log: () => {} },
  ...more,
});
const unit = (ou: string, above: string): string =>
  `dn: ou=${ou},${above}\nobjectClass: organizationalUnit\nou: ${ou}\n\n`;
const device = (cn: string, above: string, more = ""): string =>
  `dn: cn=${cn},${above}\nobjectClass: device\ncn: ${cn}\n${more}\n`;
const added = (ldif: string): string => ldif.replace(/^(dn: .*)$/gm, "$1\nchangetype: add");
const top = "dc=campus,dc=example";
const tree = `${baseLdif}\n${unit("a", top)}${unit("b", top)}${device("one", `ou=a,${top}`)}${unit("deep", `ou=a,${top}`)}${device("two", `ou=deep,ou=a,${top}`)}`;
const move = (dn: string, rdn: string, above?: string): string =>
  `dn: ${dn}\nchangetype: modrdn\nnewrdn: ${rdn}\ndeleteoldrdn: 1\n${above ? `newsuperior: ${above}\n` : ""}\n`;
const set = (dn: string, description: string): string =>
  `dn: ${dn}\nchangetype: modify\nreplace: description\ndescription: ${description}\n\n`;
const named = ({ mirror }: Follower, dn: string): boolean => mirror.named(dn) !== undefined;
const same = (follower: Follower, server: Slapd): void =>
  assert.deepEqual(shownMirror(follower.mirror), shownLdif(server.slapcat()));

test("the first delivery equals the output of slapcat", async () => {
  const values = Array.from({ length: 10_000 }, (_, number) => `memberUid: user-${number}\n`).join("");
  const photo = `jpegPhoto:: ${randomBytes(200_000).toString("base64")}\n`;
  const person = `dn: cn=Zoé Ünal\\, dite « Z »,${top}\nobjectClass: inetOrgPerson\ncn: Zoé Ünal, dite « Z »\nsn: Ünal\n${photo}\n`;
  const group = `dn: cn=all,${top}\nobjectClass: posixGroup\ncn: all\ngidNumber: 1\n${values}\n`;
  await using server = await startSlapd({ ldif: `${tree}${person}${group}` });
  await using follower = follow(ldapSource(options(server)));
  const { entries, state } = await follower.refresh();
  same(follower, server);
  const photos = entries.flatMap(({ attributes }) => attributes.get("jpegphoto") ?? []);
  assert.ok(photos[0] instanceof Uint8Array && photos[0].length === 200_000);
  assert.ok(state.length > 0 && state.every((csn) => /^\d{14}\.\d{6}Z#/.test(csn)), `${state}`);
});

test("additions, modifications, deletions and renames arrive, each with a newer state", async () => {
  await using server = await startSlapd({ ldif: tree });
  await using follower = follow(ldapSource(options(server)));
  let { state } = await follower.refresh();
  const steps: [ldif: string, done: () => boolean][] = [
    [added(device("three", `ou=b,${top}`)), () => named(follower, `cn=three,ou=b,${top}`)],
    [
      set(`cn=three,ou=b,${top}`, "seen"),
      () => follower.mirror.named(`cn=three,ou=b,${top}`)?.attributes.get("description")?.[0] === "seen",
    ],
    [move(`ou=deep,ou=a,${top}`, "ou=deeper"), () => named(follower, `cn=two,ou=deeper,ou=a,${top}`)],
    [move(`ou=a,${top}`, "ou=a", `ou=b,${top}`), () => named(follower, `cn=two,ou=deeper,ou=a,ou=b,${top}`)],
    [`dn: cn=one,ou=a,ou=b,${top}\nchangetype: delete\n`, () => !named(follower, `cn=one,ou=a,ou=b,${top}`)],
  ];
  for (const [ldif, done] of steps) {
    await server.modify(ldif);
    await follower.until(done);
    const last = follower.seen.at(-1);
    assert.ok(last?.kind === "change" && olderState(state, last.state), `${ldif}: ${state}`);
    state = last.state;
    same(follower, server);
  }
});

test("a subtree that enters or leaves the base comes and goes whole", async () => {
  await using server = await startSlapd({ ldif: tree });
  const base = `ou=b,${top}`;
  await using follower = follow(ldapSource(options(server, { base })));
  await follower.refresh();
  assert.equal(follower.mirror.size, 1);
  await server.modify(move(`ou=a,${top}`, "ou=a", base));
  await follower.until(() => follower.mirror.size === 5);
  await server.modify(move(`ou=a,${base}`, "ou=a", top));
  await follower.until(() => follower.mirror.size === 1);
  // A part of the removed entries comes back by itself: its top was known once.
  await server.modify(move(`ou=deep,ou=a,${top}`, "ou=deep", base));
  await follower.until(() => named(follower, `cn=two,ou=deep,${base}`));
  assert.equal(follower.mirror.size, 3);
});

test("a server that restarts or dies is followed again, with the changes between", async () => {
  await using server = await startSlapd({ ldif: tree });
  const source = ldapSource(options(server));
  await using follower = follow(source);
  await follower.refresh();
  for (const end of [server.stop, server.kill9]) {
    await end();
    const { why } = await follower.trouble();
    assert.match(why, /closed the connection|ECONNRESET|unavailable/);
    assert.match((await follower.trouble()).why, /ECONNREFUSED.*: is slapd running/);
    assert.equal(follower.mirror.size, 6, "the last good content stays");
    await server.start();
    source.refresh();
    await follower.until(() => follower.seen.at(-1)?.kind === "refresh");
    same(follower, server);
  }
  await server.modify(set(`ou=a,${top}`, "after"));
  await follower.next();
  same(follower, server);
});

test("a directory restored from a backup is delivered with its older state", async () => {
  await using server = await startSlapd({ ldif: tree });
  const backup = server.slapcat();
  await using follower = follow(ldapSource(options(server)));
  await follower.refresh();
  await server.modify(set(`ou=a,${top}`, "new") + added(device("three", top)));
  await follower.until(() => named(follower, `cn=three,${top}`));
  const newest = follower.seen.at(-1);
  await server.loadBackup(backup);
  await follower.until(() => follower.seen.at(-1)?.kind === "refresh");
  const restored = follower.seen.at(-1);
  assert.ok(newest?.kind === "change" && restored?.kind === "refresh");
  assert.ok(olderState(restored.state, newest.state), `${restored.state} is older than ${newest.state}`);
  same(follower, server);
});

test("a refresh that is asked for delivers the whole again", async () => {
  await using server = await startSlapd({ ldif: tree });
  const source = ldapSource(options(server));
  await using follower = follow(source);
  const first = await follower.refresh();
  source.refresh();
  const second = await follower.refresh();
  assert.deepEqual({ ...second, entries: shown(second.entries) }, { ...first, entries: shown(first.entries) });
});

const reader = `cn=reader,${top}`;
const readerLdif = `dn: ${reader}\nobjectClass: person\ncn: reader\nsn: reader\nuserPassword: a word\n\n`;

test("wrong credentials are reported, and never shown", async () => {
  await using server = await startSlapd({ ldif: `${baseLdif}\n${readerLdif}` });
  const log: string[] = [];
  const wrong = { bindDn: reader, password: "not the word", log: (line: string) => log.push(line) };
  await using follower = follow(ldapSource(options(server, wrong)));
  const { why } = await follower.trouble();
  assert.match(why, /the bind as cn=reader,dc=campus,dc=example failed: result 49 invalidCredentials.*password's file/);
  assert.ok(!`${why}${log}`.includes("not the word"));
});

test("a name without a password is refused: the bind would be anonymous", () => {
  const empty = {
    url: "ldap://127.0.0.1:1",
    base: top,
    bindDn: reader,
    password: "",
    clock: systemClock,
    log: () => {},
  };
  assert.throws(() => ldapSource(empty), /the password of cn=reader,dc=campus,dc=example is empty/);
  assert.throws(() => ldapSource({ ...empty, password: "x", filter: "(cn=" }), /"\(cn=" is no LDAP filter/);
});

test("data hidden by an access rule is reported, from the base to attributes", async () => {
  await using server = await startSlapd({ ldif: tree, access: ["to * by * none"] });
  const log: string[] = [];
  const source = ldapSource(options(server, { log: (line) => log.push(line) }));
  await using follower = follow(source);
  const allow = async (...access: string[]): Promise<void> => {
    await server.allow(access);
    source.refresh();
  };
  const said = (pattern: RegExp): Promise<void> =>
    follower.until(() => follower.seen.some((change) => change.kind === "trouble" && pattern.test(change.why)));
  const all = "to * by * read";
  await said(/result 32 noSuchObject.*or anonymous may not see it|dc=campus,dc=example has no entry at all/);
  await allow(`to dn.exact="ou=deep,ou=a,${top}" by * none`, all);
  await said(/cn=two,ou=deep.* without the entry above it.*access.*anonymous/);
  await allow(`to dn.exact="ou=b,${top}" attrs=objectClass by * none`, all);
  await said(/ou=b,.* without its objectClass: slapd's "access"/);
  assert.ok(follower.seen.every(({ kind }) => kind === "trouble"));
  await allow(all);
  await follower.until(() => follower.mirror.size === 6);
  await allow("to attrs=cn by * none", all);
  await follower.until(() => !follower.mirror.named(`cn=one,ou=a,${top}`)?.attributes.has("cn"));
  assert.ok(
    log.some((line) => /no entry shows cn any more, 2 did: unless you want that, slapd's "access"/.test(line)),
    log.join("\n"),
  );
});

test("a missing syncprov or base is reported with its remedy", async () => {
  await using server = await startSlapd({ ldif: tree, syncprov: false });
  await using follower = follow(ldapSource(options(server)));
  assert.match((await follower.trouble()).why, /result 12 unavailableCriticalExtension.*overlay syncprov/);
  await using elsewhere = follow(ldapSource(options(server, { base: "dc=other" })));
  assert.match((await elsewhere.trouble()).why, /result 32 noSuchObject.*directory\.base|result 10|result 12/);
});

test("ldaps, StartTLS and Unix sockets work; an untrusted server is not read", async () => {
  await using server = await startSlapd({ ldif: tree, tls: true });
  const ca = readFileSync(server.ca, "utf8");
  const bind = { bindDn: server.adminDn, password: server.password };
  const ways: Partial<LdapSourceOptions>[] = [
    { url: server.ldapsUrl, ca, ...bind },
    { startTls: true, ca, ...bind },
    { url: server.ldapiUrl },
  ];
  for (const way of ways) {
    await using follower = follow(ldapSource(options(server, way)));
    await follower.refresh();
    same(follower, server);
    await server.modify(set(`ou=a,${top}`, `${way.url} ${way.startTls}`));
    await follower.next();
    same(follower, server);
  }
  for (const way of [{ url: server.ldapsUrl }, { startTls: true }]) {
    await using follower = follow(ldapSource(options(server, way)));
    assert.match((await follower.trouble()).why, /certificate.*directory\.ca/);
  }
  const own = { cert: readFileSync(server.cert, "utf8"), key: readFileSync(server.key, "utf8") };
  await using unasked = follow(ldapSource(options(server, { url: server.ldapsUrl, ca, ...own })));
  assert.match((await unasked.trouble()).why, /result 7 authMethodNotSupported.*TLSVerifyClient try/);
});

test("a missing StartTLS is trouble, and nothing is read in clear", async () => {
  await using server = await startSlapd({ ldif: tree });
  await using follower = follow(ldapSource(options(server, { startTls: true, bindDn: reader, password: "a word" })));
  assert.match((await follower.trouble()).why, /StartTLS failed: result \d+ .*TLSCertificateFile/);
});

test("only the attributes that are asked for are read, and who an entry is", async () => {
  await using server = await startSlapd({ ldif: tree });
  const log: string[] = [];
  await using follower = follow(
    ldapSource(options(server, { attributes: ["cn", "nickname"], log: (line) => log.push(line) })),
  );
  const { entries } = await follower.refresh();
  const one = entries.find(({ dn }) => dn.startsWith("cn=one"));
  assert.deepEqual([...(one?.attributes.keys() ?? [])].slice(0, 3), ["objectclass", "cn", "entryuuid"]);
  assert.ok(entries.every(({ attributes }) => !attributes.has("ou")));
  assert.ok(
    log.some((line) => line.includes("no entry shows nickname")),
    log.join("\n"),
  );
});

test("an entry that has changed is let go, though its session goes on", async () => {
  await using server = await startSlapd({ ldif: tree });
  const stop = new AbortController();
  const changes = ldapSource(options(server)).changes(stop.signal)[Symbol.asyncIterator]();
  const first = async (): Promise<WeakRef<object>> => {
    const { value } = await changes.next();
    assert.ok(value.kind === "refresh");
    return new WeakRef(value.entries.find(({ dn }: { dn: string }) => dn.startsWith("cn=one")));
  };
  const before = await first();
  await server.modify(set(`cn=one,ou=a,${top}`, "another"));
  assert.equal((await changes.next()).value.kind, "change");
  const next = changes.next(); // the session continues
  await until(() => {
    collect();
    return before.deref() === undefined;
  });
  stop.abort();
  await next;
});

test("a follower leaves no connection open, at any moment of its work", async () => {
  await using server = await startSlapd({ ldif: tree });
  const open = (): string[] =>
    process
      .getActiveResourcesInfo()
      .filter((kind) => /Timeout|TCP|TLS|Pipe/.test(kind))
      .sort();
  const before = open();
  await follow(ldapSource(options(server)))[Symbol.asyncDispose]();
  {
    await using follower = follow(ldapSource(options(server)));
    await follower.refresh();
  }
  await server.stop();
  {
    await using follower = follow(ldapSource(options(server)));
    await follower.trouble();
  }
  await until(() => String(open()) === String(before));
});
