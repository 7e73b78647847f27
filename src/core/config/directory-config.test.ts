import assert from "node:assert/strict";
import { test } from "node:test";
import { wrong as wrongConfig } from "../../../test/fixtures/config.ts";
import { readDirectory } from "./directory-config.ts";

const bind = { bindDn: "cn=a", passwordFile: "p" };
const server = { url: "ldaps://ldap.campus.example", base: "dc=campus,dc=example", ...bind };

/** The sentence on a directory. */
const wrong = (directory: object): string => wrongConfig({ directory });
const right = (directory: object): void => assert.deepEqual(readDirectory(directory, "a file"), directory);

test("a file and a server are read as they are written", () => {
  right({ ldif: "campus.ldif" });
  right(server);
  right({ url: "ldapi:///", base: "dc=campus" });
  right({ url: "ldapi://%2Ftmp%2Fldapi", base: "dc=campus", attributes: ["cn", "mail"] });
  right({ ...server, url: "ldap://[2001:db8::1]:3389/", startTls: true, ca: "ca.pem", cert: "me.pem", key: "me.key" });
  right({ ...server, bindDn: "cn=reader,dc=campus", passwordFile: "ldap.password", filter: "(cn=*)" });
});

test("a mistake is reported with its option, the rule and the value", () => {
  assert.match(wrong({}), /^directory\.ldif: expected a text, found nothing$/);
  assert.match(wrong({ ...server, bindDN: "cn=a" }), /unknown option of directory "bindDN" .*did you mean "bindDn"/);
  assert.match(
    wrong({ base: "dc=campus", ldif: "a" }),
    /^directory\.base is an option of a server, but directory\.url is missing$/,
  );
  assert.equal(
    wrong({ ...server, ldif: "a" }),
    "directory.ldif and directory.url: the directory is either a file or a server",
  );
  assert.match(wrong({ ...server, url: "https://a" }), /^directory\.url: expected ldap:\/\/host.*"https:\/\/a"$/);
  assert.match(wrong({ ...server, url: "ldap://cn=a:secret@host" }), /found "ldap:\/\/…@host"$/);
  assert.match(wrong({ url: server.url, ...bind }), /^directory\.base: expected a text, found nothing$/);
  assert.match(wrong({ ...server, base: "campus" }), /^directory\.base: "campus" is not a DN/);
  assert.match(wrong({ ...server, startTls: true }), /startTls is for ldap:\/\//);
  assert.match(
    wrong({ ...server, passwordFile: undefined }),
    /bindDn and directory\.passwordFile must be given together/,
  );
  assert.match(wrong({ ...server, cert: "a" }), /cert and directory\.key must be given together/);
  assert.match(wrong({ ...server, unique: "mail" }), /unique: expected a list of names, found "mail"/);
  assert.match(wrong({ ...server, attributes: ["cn", "@person"] }), /@person names a class .*: list its attributes/);
  assert.match(wrong({ ...server, attributes: "cn" }), /attributes: expected a list of names, found "cn"/);
});

test("a password does not travel in the clear to another machine", () => {
  const bind = { bindDn: "cn=a", passwordFile: "p", base: "dc=campus" };
  assert.match(
    wrong({ ...bind, url: "ldap://ldap.campus.example" }),
    /the password .* in the clear .*: use ldaps:\/\/ or startTls: true, or .* directory\.insecure: true$/,
  );
  assert.match(wrong({ ...bind, url: "ldap://127.0.0.1.evil.example" }), /in the clear/);
  for (const url of ["ldap://127.0.0.1:3389", "ldap://localhost", "ldap://[::1]/"]) right({ ...bind, url });
  right({ ...bind, url: "ldap://ldap.campus.example", startTls: true });
});

test("a server of another machine is neither clear nor anonymous without insecure: true", () => {
  const base = "dc=campus";
  const clear = ["ldap://ldap.campus.example", "ldap://10.1.2.3:389/", "ldap://127.0.0.1.evil.example", "ldap://[::2]"];
  for (const url of clear) {
    const sentence =
      /the directory would travel in the clear to ldap:.*startTls: true, or .*directory\.insecure: true$/;
    assert.match(wrong({ url, base }), sentence);
    assert.match(wrong({ url, base, cert: "c", key: "k" }), sentence);
    assert.match(wrong({ url, base, insecure: false }), sentence);
  }
  const anonymous = [{ url: "ldaps://ldap.campus.example" }, { url: "ldap://ldap.campus.example", startTls: true }];
  for (const one of anonymous) {
    assert.match(wrong({ ...one, base }), /would be anonymous at .*bindDn .*directory\.insecure: true$/);
    right({ ...one, base, cert: "c", key: "k" });
    right({ ...one, base, ...bind });
    right({ ...one, base, insecure: true });
  }
  for (const url of clear) right({ url, base, ...bind, insecure: true });
  for (const url of ["ldap://127.0.0.1", "ldap://localhost:3389", "ldaps://[::1]", "ldapi:///"]) right({ url, base });
  assert.match(wrong({ ldif: "a", insecure: true }), /insecure is an option of a server/);
});
