import assert from "node:assert/strict";
import { test } from "node:test";
import { entry, selected } from "../../test/services/scene.ts";
import type { Service } from "../core/service/service.ts";
import { freeradius } from "./freeradius.ts";
import { kea } from "./kea.ts";
import { nftables } from "./nftables.ts";
import { postfix } from "./postfix.ts";

const rock = (more: Record<string, string[]> = {}) =>
  entry(["campusMachine"], "rock.campus.example", {
    campusmac: ["02:00:00:00:00:01"],
    campusip: ["10.0.0.1"],
    ...more,
  });
const names = {
  classes: { ieee802Device: "campusMachine" },
  attributes: { macAddress: "campusMac", ipHostNumber: "campusIp" },
};

test("a renamed attribute is read in place of the standard one", () => {
  const row = { mac: "02:00:00:00:00:01", ip: "10.0.0.1", name: "rock" };
  assert.deepEqual(selected(kea({ entries: names }) as Service, rock()), row);
  assert.deepEqual(selected(nftables({ rules: "/etc/nftables/members.rules", entries: names }) as Service, rock()), [
    { mac: row.mac, ip: row.ip },
  ]);
  assert.equal(selected(kea() as Service, rock()), undefined);
});

test("a value that cannot be read is refused under the directory's own name", () => {
  const twins = rock({ campusmac: ["02:00:00:00:00:01", "02:00:00:00:00:02"] });
  assert.throws(() => selected(kea({ entries: names }) as Service, twins), /campusMac has 2 values/);
});

test("only entries at the base or below it are seen", () => {
  const sees = (base: string): boolean =>
    selected(kea({ entries: { ...names, base } }) as Service, rock()) !== undefined;
  for (const base of [
    "dc=campus,dc=example",
    "DC=Campus, dc=example",
    "cn=rock.campus.example,dc=campus,dc=example",
    "",
  ]) {
    assert.equal(sees(base), true, base);
  }
  for (const base of [
    "ou=machines,dc=campus,dc=example",
    "dc=mpus,dc=example",
    "cn=a,cn=rock.campus.example,dc=campus,dc=example",
  ])
    assert.equal(sees(base), false, base);
});

test("only entries that match the filter are seen", () => {
  const more = {
    status: ["Active"],
    campusroom: ["B 12", "C 3"],
    homedirectory: ["/home/Rock"],
    cn: ["rock.campus.example"],
  };
  const sees = (filter: string): boolean =>
    selected(kea({ entries: { ...names, filter } }) as Service, rock(more)) !== undefined;
  for (const filter of [
    ...["(status=Active)", "(status=*)", "(!(status=retired))", "(objectClass=campusMachine)", "(objectClass=*)"],
    ...[
      "(&(status=Active)(campusRoom=C 3))",
      "(|(status=retired)(campusRoom=B*))",
      "(campusRoom=*1*)",
      "(cn=r*c*.example)",
    ],
    ...["(homeDirectory=/home/Rock)", "(status=Act\\69ve)", "(status=A*)"],
  ]) {
    assert.equal(sees(filter), true, filter);
  }
  for (const filter of [
    ...["(status=retired)", "(owner=*)", "(!(status=*))", "(objectClass=person)", "(&(status=Active)(campusRoom=D*))"],
    ...["(|(status=retired)(owner=*))", "(campusRoom=*5*)", "(homeDirectory=/home/rock)", "(status=Activ*e*e)"],
    ...["(status=active)", "(status=a*)"],
  ]) {
    assert.equal(sees(filter), false, filter);
  }
});

test("mistakes end in one line that names the option", () => {
  const wrong = (entries: object, line: RegExp): void =>
    void assert.throws(() => postfix({ entries } as never), { name: "UserError", message: line });
  wrong({ base: "machines" }, /^postfix: entries: base: is no DN \("machines"\)$/);
  wrong({ filter: "status=*)" }, /^postfix: entries: filter: is no LDAP filter of =, =\*, \*, &, \| and ! /);
  wrong({ filter: "(age>=3)" }, /^postfix: entries: filter: is no LDAP filter/);
  wrong({ atributes: {} }, /^postfix: entries: unknown option "atributes" .*did you mean "attributes"/);
  wrong({ attributes: { mail: "e mail" } }, /^postfix: entries: attributes\.mail: is no name of an attribute/);
  const both = { entries: {}, select: () => undefined };
  assert.throws(
    () => freeradius(both as never),
    /^UserError: freeradius: entries: applies to the standard select of freeradius/,
  );
});
