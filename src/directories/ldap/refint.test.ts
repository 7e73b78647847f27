import assert from "node:assert/strict";
import { test } from "node:test";
import { quickClock } from "../../../test/quick-clock.ts";
import { follow, shownLdif, shownMirror } from "../../../test/servers/follow.ts";
import { baseLdif, startSlapd } from "../../../test/servers/slapd.ts";
import { ldapSource } from "./source.ts";

const base = "dc=campus,dc=example";
const people = `ou=people,${base}`;
const unit = (ou: string): string => `dn: ou=${ou},${base}\nobjectClass: organizationalUnit\nou: ${ou}\n\n`;
const person = (uid: string): string =>
  `dn: uid=${uid},${people}\nobjectClass: inetOrgPerson\nuid: ${uid}\ncn: ${uid}\nsn: ${uid}\n\n`;
const members = ["alice", "bob", "carol"].map((uid) => `member: uid=${uid},${people}\n`).join("");
const group = (cn: string): string => `dn: cn=${cn},${base}\nobjectClass: groupOfNames\ncn: ${cn}\n${members}\n`;
const ldif = `${baseLdif}\n${unit("people")}${unit("left")}${["alice", "bob", "carol"].map(person).join("")}${group("vpn")}${group("lab")}`;
const refint = { modules: ["refint"], database: ["overlay refint", "refint_attributes member"] };
const renamed = (dn: string, rdn: string, above = ""): string =>
  `dn: ${dn}\nchangetype: modrdn\nnewrdn: ${rdn}\ndeleteoldrdn: 1\n${above && `newsuperior: ${above}\n`}\n`;

for (const attributes of [undefined, ["cn", "member"]])
  test(`groups follow what refint writes, of the attributes ${attributes ?? "that users write"}`, async () => {
    await using server = await startSlapd({ ldif, ...refint });
    const options = { url: server.ldapiUrl, base, clock: quickClock(10), log() {}, ...(attributes && { attributes }) };
    await using follower = follow(ldapSource(options));
    await follower.refresh();
    const membersOf = (cn: string): string[] => {
      const values = follower.mirror.named(`cn=${cn},${base}`)?.attributes.get("member") ?? [];
      return values.map((value) => `${value}`.slice(0, -base.length - 1)).sort();
    };
    const steps = [
      [
        renamed(`uid=alice,${people}`, "uid=alicia"),
        ["uid=alicia,ou=people", "uid=bob,ou=people", "uid=carol,ou=people"],
      ],
      [`dn: uid=bob,${people}\nchangetype: delete\n`, ["uid=alicia,ou=people", "uid=carol,ou=people"]],
      [renamed(`uid=carol,${people}`, "uid=carol", `ou=left,${base}`), ["uid=alicia,ou=people", "uid=carol,ou=left"]],
      [renamed(people, "ou=members"), ["uid=alicia,ou=members", "uid=carol,ou=left"]],
    ] as const;
    for (const [change, expected] of steps) {
      await server.modify(change);
      await follower.until(() => ["vpn", "lab"].every((cn) => String(membersOf(cn)) === String(expected)));
    }
    const alicia = follower.mirror.named(`uid=alicia,ou=members,${base}`);
    assert.deepEqual(
      follower.mirror.where("dn", "member", alicia?.normal ?? "").map(({ dn }) => dn),
      [`cn=lab,${base}`, `cn=vpn,${base}`],
    );
    if (!attributes) assert.deepEqual(shownMirror(follower.mirror), shownLdif(server.slapcat()));
    assert.equal(follower.seen.filter(({ kind }) => kind === "refresh").length, 1);
  });

test("a member that moves out of the base is followed out of it", async () => {
  await using server = await startSlapd({ ldif, ...refint });
  await server.modify(renamed(`cn=vpn,${base}`, "cn=vpn", people));
  const options = { url: server.ldapiUrl, base: people, clock: quickClock(10), log() {} };
  await using follower = follow(ldapSource(options));
  await follower.refresh();
  await server.modify(renamed(`uid=bob,${people}`, "uid=bob", `ou=left,${base}`));
  const values = (): string => `${follower.mirror.named(`cn=vpn,${people}`)?.attributes.get("member")}`;
  await follower.until(() => values().includes(`uid=bob,ou=left,${base}`) && !values().includes(`uid=bob,${people}`));
});
