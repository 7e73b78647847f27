import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { chmodSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { readConfig } from "../core/config/config.ts";
import { makeKey, openSigner, openTrust } from "./keys.ts";

const body = '{"trigger":1}';

/** A machine with a key and a file of those that it trusts, and its log about them. */
function machine(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), "trigger-keys-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const logged: string[] = [];
  const log = (line: string): void => void logged.push(line);
  const path = (name: string): string => join(folder, name);
  const project = (signing: object) => {
    const config = readConfig({ directory: { ldif: "x" }, hosts: { civet: ["event"] }, signing }, "c");
    return { folder, config };
  };
  const usual = { key: "sign.key", trust: ["trust"] };
  const write = (name: string, text: string): void => writeFileSync(path(name), text);
  const own = makeKey(path("sign.key")).publicKey;
  write("trust", `# who may tell\n\n${own} civet\n`);
  return {
    ...{ path, logged, write, own, usual },
    signer: (signing: object = usual) => openSigner(project(signing), log) ?? assert.fail(),
    trust: (signing: object = usual) => openTrust(project(signing), log) ?? assert.fail(),
    wrongWith: (text: string, signing: object = usual) => {
      write("sign.key", text);
      chmodSync(path("sign.key"), 0o600);
      return () => openSigner(project(signing), log);
    },
  };
}
const bytes = (text: string): Buffer => Buffer.from(text);

test("a key is made once, readable by its owner alone, and shown again afterwards", (t) => {
  const { path } = machine(t);
  const first = makeKey(path("another"));
  assert.equal(statSync(path("another")).mode & 0o777, 0o600);
  assert.deepEqual(makeKey(path("another")), { publicKey: first.publicKey, made: false });
  assert.throws(() => makeKey(path("no/such/folder")), /ENOENT/);
});

test("a signature of the own key is trusted, by file or by config", (t) => {
  const { signer, trust, own, usual } = machine(t);
  const said = bytes(signer()(body));
  assert.equal(trust()(said), undefined);
  assert.equal(trust({ ...usual, trust: [own] })(said), undefined);
  assert.equal(trust({ ...usual, trust: [own] })(bytes(body)), "it is not signed");
});

test("without signing nothing is signed, and without trust nothing is rejected", (t) => {
  const { signer, usual } = machine(t);
  const project = (signing?: object) => {
    const more = signing ? { signing } : {};
    return { folder: "/", config: readConfig({ directory: { ldif: "x" }, hosts: { civet: ["event"] }, ...more }, "c") };
  };
  assert.equal(
    openSigner(project(), () => {}),
    undefined,
  );
  assert.equal(
    openTrust(project({ key: "k" }), () => {}),
    undefined,
  );
  assert.match(signer({ key: usual.key })(body), /"signature"/);
});

test("each error of a key is one sentence, with nothing secret in it", (t) => {
  const { path, wrongWith, signer, trust, write, own } = machine(t);
  const rsa = generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey.export({ format: "pem", type: "pkcs8" });
  for (const text of ["", "s3cret", rsa.toString(), own]) {
    assert.throws(wrongWith(text), (error: Error) => {
      assert.match(error.message, /^signing\.key: .*sign\.key holds no secret key of Ed25519 \(PKCS #8, PEM\)/);
      return !error.message.includes("s3cret");
    });
  }
  rmSync(path("sign.key"));
  assert.throws(signer, /^UserError: signing\.key: ENOENT.*sign\.key': `trigger key .*sign\.key` makes it$/);
  makeKey(path("sign.key"));
  assert.throws(signer, /signing\.key: no host would accept a row: signing\.trust does not have .*= of .*sign\.key$/);
  chmodSync(path("sign.key"), 0o640);
  assert.throws(signer, /sign\.key is open to other users \(mode 0640\): `chmod 600 /);

  write("trust", `${own}\nMC4CAQAwBQYDK2VwBCIEIsecret\n`);
  assert.throws(trust, (error: Error) => {
    assert.match(error.message, /^signing\.trust: .*trust:2: a public key is 44 characters of base64, found 27$/);
    return !error.message.includes("secret");
  });
  write("trust", "# no key\n");
  assert.throws(trust, /trust holds no public key$/);
  rmSync(path("trust"));
  assert.throws(trust, /^UserError: signing\.trust: ENOENT/);
});

test("keys change while in use, and an invalid one leaves the last in use", (t) => {
  const { path, signer, trust, write, own, logged } = machine(t);
  const [sign, distrust] = [signer(), trust()];
  const next = makeKey(path("next")).publicKey;
  const by = (): string => JSON.parse(sign(body)).key;
  const first = by();
  assert.notEqual(own, next);

  // In the wrong order: the new key is not trusted yet.
  renameSync(path("sign.key"), path("old"));
  renameSync(path("next"), path("sign.key"));
  assert.equal(by(), first);
  assert.match(logged.join("\n"), /no host would accept a row.*; the content read before stays in use/);
  write("trust", `${own}\n${next}\n`);
  assert.notEqual(by(), first);
  assert.equal(distrust(bytes(sign(body))), undefined);

  write("trust", "");
  assert.equal(distrust(bytes(sign(body))), undefined);
  assert.match(logged.join("\n"), /holds no public key; the content read before stays in use/);
  write("trust", `${own}\n`);
  assert.match(distrust(bytes(sign(body))) ?? "", /not trusted/);
});
