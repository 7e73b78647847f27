import assert from "node:assert/strict";
import { test } from "node:test";
import { baseLdif, startSlapd } from "../../../test/servers/slapd.ts";
import { readEvent } from "../../core/directory/event.ts";
import { systemClock } from "../../daemon/clock.ts";
import { type BindingOptions, eventOf, openBinding } from "./binding.ts";

const top = "dc=campus,dc=example";
const dn = `cn=Zoé,${top}`;
const made = new Map([
  ["objectClass", ["inetOrgPerson"]],
  ["cn", ["Zoé"]],
  ["sn", ["Ünal"]],
  ["mail", ["zoe@campus.example"]],
  ["userPassword", ["{CLEARTEXT}s3cret"]],
]);

const room =
  "attributetype ( 1.3.6.1.4.1.4203.666.9.1 NAME 'siteRoom' EQUALITY caseExactMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )";

async function scene(more: Partial<BindingOptions> = {}) {
  const server = await startSlapd({ ldif: baseLdif, schema: [room] });
  const { url, base, adminDn: bindDn, password } = server;
  const stop = new AbortController();
  const binding = await openBinding({ url, base, bindDn, password, clock: systemClock, signal: stop.signal, ...more });
  return {
    server,
    binding,
    async [Symbol.asyncDispose]() {
      binding.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

test("each write states the entry before and after", async () => {
  await using it = await scene();
  const { binding } = it;
  const added = await binding.write({ kind: "add", dn, attributes: made });
  assert.equal(added.before, null);
  assert.deepEqual(added.after?.get("entrydn"), [dn]);
  assert.match(added.uuid, /^[0-9a-f-]{36}$/);

  const photo = new Uint8Array([255, 216, 0]);
  const modifications = [
    { kind: "replace", attribute: "sn", values: ["Ünal (née Öz)"] },
    { kind: "add", attribute: "jpegPhoto", values: [photo] },
    { kind: "delete", attribute: "mail", values: [] },
  ] as const;
  const modified = await binding.write({ kind: "modify", dn, modifications });
  assert.deepEqual([modified.before?.get("sn"), modified.after?.get("sn")], [["Ünal"], ["Ünal (née Öz)"]]);
  assert.deepEqual([modified.before?.get("mail"), modified.after?.get("mail")], [["zoe@campus.example"], undefined]);
  assert.deepEqual(modified.after?.get("jpegphoto"), [photo]);
  assert.equal(modified.uuid, added.uuid);
  assert.ok(modified.csn > added.csn);

  const renamed = await binding.write({ kind: "rename", dn, newRdn: "cn=Zoë", deleteOldRdn: true });
  assert.deepEqual([renamed.before?.get("cn"), renamed.after?.get("cn")], [["Zoé"], ["Zoë"]]);
  const gone = await binding.write({ kind: "delete", dn: `cn=Zoë,${top}` });
  assert.deepEqual([gone.before?.get("cn"), gone.after], [["Zoë"], null]);
  assert.equal(await binding.read(`cn=Zoë,${top}`), undefined);

  assert.ok(modified.after?.has("userpassword"));
  const event = JSON.parse(eventOf("id-1", modified, { who: "camille", why: "married" }));
  assert.ok(!JSON.stringify(event).includes("userpassword"), "passwords stay where they are");
  assert.deepEqual(event[2].jpegphoto, [{ base64: "/9gA" }]);
  const { after, who, why } = readEvent(event);
  assert.deepEqual([after?.uuid, who, why], [added.uuid, "camille", "married"]);
});

test("an entry changed since it was read is not overwritten", async () => {
  await using it = await scene();
  const { binding } = it;
  await binding.write({ kind: "add", dn, attributes: made });
  const read = (await binding.read(dn))?.attributes.get("entrycsn")?.[0] as string;
  const set = (sn: string) =>
    ({ kind: "modify", dn, modifications: [{ kind: "replace", attribute: "sn", values: [sn] }] }) as const;
  await binding.write(set("mine"), { read });
  await assert.rejects(
    binding.write(set("late"), { read }),
    /it has changed since it was read: read it again \(result 122/,
  );
  assert.deepEqual((await binding.read(dn))?.attributes.get("sn"), ["mine"]);
});

test("a refused value leaves the connection good", async () => {
  await using it = await scene({ unique: ["mail", "commonName"] });
  const { binding } = it;
  await binding.write({ kind: "add", dn, attributes: made });
  const other = `cn=other,${top}`;
  const twin = new Map([...made, ["cn", ["other"]]]);
  await assert.rejects(
    binding.write({ kind: "add", dn: other, attributes: twin }),
    /^UserError: cn=other,.*: mail "zoe@campus\.example" belongs to cn=Zoé,dc=campus,dc=example$/,
  );
  await assert.rejects(
    binding.write({ kind: "add", dn, attributes: made }),
    /there is such an entry already \(result 68/,
  );
  const namesake = `sn=other,${top}`;
  await binding.write({
    kind: "add",
    dn: namesake,
    attributes: new Map([...made, ["cn", ["x"]], ["sn", ["other"]], ["mail", ["x"]]]),
  });
  const taken = { kind: "rename", dn: namesake, newRdn: "cn=zoé", deleteOldRdn: false } as const;
  await assert.rejects(binding.write(taken), /: cn "zoé" belongs to cn=Zoé,dc=campus,dc=example$/);
  const own = { kind: "replace", attribute: "mail", values: ["zoe@campus.example"] } as const;
  await binding.write({ kind: "modify", dn: dn.replace(",", " , ").toUpperCase(), modifications: [own] });
  await assert.rejects(binding.write({ kind: "delete", dn: other }), /there is no such entry.*result 32/);
  await binding.write({ kind: "delete", dn });
});

test("a value of a twin belongs to another entry", async () => {
  await using it = await scene({ unique: ["mail"] });
  const add = (room: string) => {
    const attributes = new Map([...made, ["objectClass", ["inetOrgPerson", "extensibleObject"]], ["siteRoom", [room]]]);
    return it.binding.write({ kind: "add", dn: `siteRoom=${room},${top}`, attributes });
  };
  await add("lab");
  await assert.rejects(add("LAB"), /siteRoom=LAB,.*: mail "zoe@campus\.example" belongs to siteRoom=lab,/);
});

test("a write whose answer never came is not called refused", async () => {
  await using it = await scene();
  await it.server.kill9();
  await assert.rejects(it.binding.write({ kind: "delete", dn }), /the result of the write is not known/);
});
