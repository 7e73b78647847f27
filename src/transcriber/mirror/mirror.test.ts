import assert from "node:assert/strict";
import { test } from "node:test";
import { stored } from "../../../test/fixtures/entry.ts";
import { normalDn } from "../../core/directory/dn.ts";
import { atOnce } from "../../core/util/slices.ts";
import { Mirror } from "./mirror.ts";

const names = (mirror: Mirror): string[] => [...mirror.entries()].map(({ uuid, dn }) => `${uuid} ${dn}`).sort();

function campus(): Mirror {
  const mirror = new Mirror();
  atOnce(
    mirror.refresh([
      stored("base", "dc=x"),
      stored("a", "ou=a,dc=x"),
      stored("b", "ou=b,dc=x"),
      stored("m", "cn=m,ou=a,dc=x", { owner: "cn=o,dc=x", mail: "M@x" }),
      stored("d", "cn=deep,cn=m,ou=a,dc=x"),
    ]),
  );
  return mirror;
}

test("a removed entry takes its subtree along", () => {
  const mirror = campus();
  const { changed } = atOnce(mirror.change([], ["a"]));
  assert.deepEqual(names(mirror), ["b ou=b,dc=x", "base dc=x"]);
  assert.deepEqual([...changed.keys()].sort(), ["a", "d", "m"]);
});

test("entries that left a subtree before its removal stay with their own", () => {
  const mirror = campus();
  atOnce(mirror.change([stored("m", "cn=m,ou=b,dc=x")], ["a"]));
  assert.deepEqual(names(mirror), ["b ou=b,dc=x", "base dc=x", "d cn=deep,cn=m,ou=b,dc=x", "m cn=m,ou=b,dc=x"]);
});

test("a renamed parent carries its subtree, the case of each name kept", () => {
  const mirror = campus();
  atOnce(mirror.change([stored("m", "cn=Kid\\, M,ou=a,dc=x")], []));
  const { changed } = atOnce(mirror.change([stored("a", "ou=New,dc=x")], []));
  assert.deepEqual([...changed.keys()].sort(), ["a", "d", "m"]);
  assert.equal(mirror.get("d")?.dn, "cn=deep,cn=Kid\\, M,ou=New,dc=x");
  assert.equal(mirror.named(normalDn("CN=Deep, cn=kid\\2c m, ou=new, dc=X"))?.uuid, "d");
  assert.equal(mirror.named("cn=m,ou=a,dc=x"), undefined);
  assert.deepEqual(
    mirror.below("ou=new,dc=x").map(({ uuid }) => uuid),
    ["m"],
  );
  assert.deepEqual(mirror.below("ou=a,dc=x"), []);
});

test("a parent renamed in case alone carries its subtree all the same", () => {
  const mirror = campus();
  const { changed } = atOnce(mirror.change([stored("a", "OU=A,dc=x")], []));
  assert.deepEqual([...changed.keys()].sort(), ["a", "d", "m"]);
  assert.equal(mirror.get("d")?.dn, "cn=deep,cn=m,OU=A,dc=x");
  assert.equal(mirror.named("cn=deep,cn=m,ou=a,dc=x")?.uuid, "d");
});

test("two subtrees that swap names in one change keep what is below them", () => {
  const mirror = campus();
  atOnce(mirror.change([stored("n", "cn=m,ou=b,dc=x")], []));
  atOnce(mirror.change([stored("a", "ou=b,dc=x"), stored("b", "ou=a,dc=x")], []));
  assert.equal(mirror.named("cn=m,ou=b,dc=x")?.uuid, "m");
  assert.equal(mirror.named("cn=m,ou=a,dc=x")?.uuid, "n");
  assert.equal(mirror.size, 6);
});

test("an entry is removed if another has its very DN, and only then", () => {
  const mirror = campus();
  atOnce(mirror.change([stored("y", "ou=B, dc=X")], []));
  assert.equal(mirror.get("b")?.dn, "ou=b,dc=x");
  atOnce(mirror.change([stored("z", "ou=a,dc=x")], ["y"]));
  assert.deepEqual(names(mirror), ["b ou=b,dc=x", "base dc=x", "z ou=a,dc=x"]);
});

test("the order of delivery does not decide between two entries of one DN", () => {
  for (const order of [
    ["p", "q"],
    ["q", "p"],
  ]) {
    const mirror = new Mirror();
    atOnce(mirror.refresh(order.map((uuid) => stored(uuid, "cn=same,dc=x"))));
    assert.deepEqual(names(mirror), ["p cn=same,dc=x"]);
  }
});

test("a refresh changes only what differs", () => {
  const mirror = campus();
  const { changed, reads } = atOnce(
    mirror.refresh([
      stored("base", "dc=x"),
      stored("a", "ou=a,dc=x"),
      stored("m", "cn=m,ou=a,dc=x", { owner: "cn=o,dc=x", mail: "M@x" }),
      stored("d", "cn=deep,cn=m,ou=a,dc=x", { jpegPhoto: new Uint8Array([1, 2]) }),
    ]),
  );
  assert.deepEqual([...changed.keys()].sort(), ["b", "d"]);
  assert.deepEqual([...reads].sort(), ["below dc=x", "named ou=b,dc=x"]);
  assert.equal(atOnce(mirror.refresh([...mirror.entries()])).changed.size, 0);
});

test("an index follows changes, by text and by name as LDAP compares them", () => {
  const mirror = campus();
  const mails = () => mirror.where("text", "mail", "m@x").map(({ uuid }) => uuid);
  const owned = () => mirror.where("dn", "owner", "cn=o,dc=x").map(({ uuid }) => uuid);
  assert.deepEqual([mails(), owned()], [["m"], ["m"]]);
  const { reads } = atOnce(
    mirror.change([stored("b", "ou=b,dc=x", { mail: ["m@X", "n@x"], owner: "CN=O, DC=X" })], []),
  );
  assert.deepEqual([...reads].sort(), ["dn owner cn=o,dc=x", "text mail m@x", "text mail n@x"]);
  assert.deepEqual(
    [mails(), owned()],
    [
      ["m", "b"],
      ["m", "b"],
    ],
  );
  atOnce(mirror.change([], ["a"]));
  assert.deepEqual([mails(), owned()], [["b"], ["b"]]);
});

test("two principals that differ in case are two, and two user names are one", () => {
  const mirror = campus();
  const names = { krbPrincipalName: "alice@X", uid: "alice" };
  const loud = { krbPrincipalName: "ALICE@X", uid: "ALICE" };
  atOnce(mirror.change([stored("1", "cn=1,dc=x", names), stored("2", "cn=2,dc=x", loud)], []));
  assert.equal(mirror.where("text", "krbprincipalname", "alice@X").length, 1);
  assert.equal(mirror.where("text", "uid", "alice").length, 2);
});

test("an entry with a malformed DN stays under its UUID and harms no other", () => {
  const mirror = campus();
  atOnce(mirror.change([stored("bad", "no dn at all", { mail: "m@x" })], []));
  assert.deepEqual(
    mirror.where("text", "mail", "m@x").map(({ uuid }) => uuid),
    ["m", "bad"],
  );
  atOnce(mirror.change([], ["bad"]));
  assert.equal(mirror.size, 5);
});

test("a delivered entry takes its DN from one that was carried along", () => {
  const mirror = campus();
  atOnce(mirror.change([stored("a", "ou=new,dc=x"), stored("z", "cn=m,ou=new,dc=x")], []));
  assert.deepEqual(names(mirror), [
    "a ou=new,dc=x",
    "b ou=b,dc=x",
    "base dc=x",
    "d cn=deep,cn=m,ou=new,dc=x",
    "z cn=m,ou=new,dc=x",
  ]);
});
