import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { follow } from "../../../test/servers/follow.ts";
import { baseLdif, command, startSlapd } from "../../../test/servers/slapd.ts";
import { systemClock } from "../../daemon/clock.ts";
import { ldapSource } from "./source.ts";

const base = "dc=campus,dc=example";
const alice = `uid=alice,${base}`;
const ldif = `${baseLdif}
dn: ${alice}
objectClass: account
objectClass: simpleSecurityObject
uid: alice
userPassword: right

dn: cn=policy,${base}
objectClass: device
objectClass: pwdPolicy
cn: policy
pwdAttribute: userPassword
pwdLockout: TRUE
pwdMaxFailure: 2
`;

for (const attributes of [undefined, ["uid"]]) {
  test(`an account that slapd locks is seen locked, with attributes ${attributes ?? "left out"}`, async () => {
    await using server = await startSlapd({
      ldif,
      access: ["to attrs=userPassword by * auth", "to * by * read"],
      modules: ["ppolicy"],
      database: ["overlay ppolicy", `ppolicy_default "cn=policy,${base}"`],
    });
    const options = { url: server.ldapiUrl, base, clock: systemClock, log: () => {} };
    await using follower = follow(ldapSource(attributes ? { ...options, attributes } : options));
    await follower.refresh();
    const locked = (): boolean => follower.mirror.named(alice)?.attributes.has("pwdaccountlockedtime") ?? false;
    assert.equal(locked(), false);
    for (const password of ["wrong", "worse"]) {
      assert.throws(() =>
        execFileSync(command("ldapwhoami"), ["-x", "-H", server.url, "-D", alice, "-w", password], { stdio: "pipe" }),
      );
    }
    await follower.until(locked);
    await server.modify(`dn: ${alice}\nchangetype: modify\nreplace: userPassword\nuserPassword: another\n`);
    await follower.until(() => !locked());
  });
}
