import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { StoredEntry } from "../../src/core/directory/entry.ts";
import { cellRemoves } from "../../src/core/service/refusal-removes.ts";
import { isRefused, refusalOf } from "../../src/core/stream/cells.ts";
import { UserError } from "../../src/core/util/errors.ts";
import { type OfPeople, reservedNames } from "../../src/services/mail/aliases.ts";
import { postfix } from "../../src/services/postfix.ts";
import { transcription } from "../../src/transcriber/tables/transcription.ts";
import { anyText } from "../any-text.ts";
import { stored } from "../fixtures/entry.ts";
import { tableOf } from "./scene.ts";

const person = (uid: string, ...mail: string[]): StoredEntry =>
  stored(uid, `uid=${uid},dc=x`, { objectClass: ["inetOrgPerson", "posixAccount"], uid, mail });
const alias = (...cn: string[]): StoredEntry =>
  stored("alias", `cn=${cn[0]},dc=x`, { objectClass: "nisMailAlias", cn, rfc822MailMember: "alice" });

/** The aliases of a directory with their first recipient, and why entries are refused. */
function said(people: OfPeople, ...entries: StoredEntry[]) {
  const tables = transcription(new Map([["mail", tableOf(postfix(people))]]), { timezone: "UTC" });
  tables.refresh(entries, 0);
  const cells = [...tables.table("mail").entries()].flatMap(([, cell]) =>
    cell.startsWith("!") ? [] : [JSON.parse(cell)],
  );
  const served = cells.map(({ alias, to }: { alias: string; to: string[] }) => `${alias} ${to[0]}`).sort();
  const refused = Object.fromEntries([...tables.table("mail").entries()].filter(([, cell]) => isRefused(cell)));
  return { served, refused, why: Object.values(refused).map(refusalOf) };
}

const campus: OfPeople = { domains: ["Campus.example"] };

test("a person's addresses are aliases in the given domains alone", () => {
  const alice = person(
    "alice",
    "A.L@campus.example",
    "a.l@CAMPUS.example",
    "alice@sub.campus.example",
    "dean@gmail.com",
    "office",
    "x@campus.example.evil.example",
  );
  const spoken = (people: OfPeople) => {
    const { served, why } = said(people, alice);
    return { served, why };
  };
  assert.deepEqual(spoken(campus), { served: ["a.l@campus.example alice"], why: [] });
  assert.deepEqual(spoken({ domains: [] }), { served: [], why: [] });
  assert.deepEqual(spoken({}), {
    served: [],
    why: [
      "domains: mail A.L@campus.example is an alias only if its domain is in postfix({ domains: [...] }); [] means none",
    ],
  });
});

test("a person's address has no reserved local part, even with an extension", () => {
  for (const local of [...reservedNames, "PostMaster", "root+x", "abuse+a+b", "staff-request", "owner-staff"]) {
    const { served, why } = said(campus, person("alice", `${local}@campus.example`));
    assert.deepEqual(served, [], local);
    assert.match(why.join(), /^reserved: mail .*: an alias entry \(nisMailAlias\) may have it, or set postfix/, local);
  }
  assert.deepEqual(said({ ...campus, reserved: ["Dean"] }, person("alice", "info@campus.example")).served, [
    "info@campus.example alice",
  ]);
  assert.deepEqual(said({ ...campus, reserved: ["Dean"] }, person("alice", "dean@campus.example")).served, []);
});

test("a person's address is not the user name of another account", () => {
  const { served, why } = said(
    campus,
    person("alice", "alice@campus.example", "Dean@campus.example"),
    person("dean", "d@campus.example"),
  );
  assert.deepEqual(served, ["alice@campus.example alice", "d@campus.example dean"]);
  assert.deepEqual(why, [
    "mail: Dean@campus.example has the user name of uid=dean,dc=x: an alias entry (nisMailAlias) may have it",
  ]);
  assert.equal(said(campus, person("alice", "alice@campus.example")).served.length, 1);
});

test("an alias entry may have any name", () => {
  const names = ["postmaster", "root@campus.example", "abuse@elsewhere.example"];
  const { served, why } = said({}, alias(...names));
  assert.deepEqual(served, names.map((name) => `${name} alice`).sort());
  assert.deepEqual(why, []);
});

test("a person gets no alias outside the domain, and no reserved one", () => {
  const odd = fc.oneof(fc.emailAddress(), anyText({ maxLength: 12 }), fc.constantFrom(...reservedNames, "root+a"));
  const mail = fc.oneof(
    odd,
    odd.map((text) => `${text}@campus.example`),
    odd.map((text) => `${text}@CAMPUS.EXAMPLE `),
  );
  fc.assert(
    fc.property(fc.array(mail, { maxLength: 3 }), (mails) => {
      for (const line of said(campus, person("alice", ...mails)).served) {
        assert.match(line, /^[^@\s]+@campus\.example alice$/);
        assert.ok(!reservedNames.includes(line.split(/[@+]/)[0] ?? ""), line);
      }
    }),
  );
});

test("a reserved or foreign alias is removed at once; its owner's others stay", () => {
  const table = tableOf(postfix(campus));
  const why = (people: OfPeople, ...entries: StoredEntry[]) => said(people, ...entries).refused;
  const mixed = person(
    "alice",
    "a.l@campus.example",
    "info@campus.example",
    "dean@campus.example",
    "a b@campus.example",
  );
  const refused = why(campus, mixed, person("dean"));
  assert.deepEqual(Object.keys(refused).sort(), ["alice", "alice/dean@campus.example", "alice/info@campus.example"]);
  const goes = (key: string): boolean => cellRemoves(table, refused[key] ?? "", null);
  assert.equal(goes("alice/info@campus.example"), true);
  assert.equal(goes("alice/dean@campus.example"), false, "a new account takes no alias from another");
  assert.equal(goes("alice"), false, "an address that cannot be read takes no alias");
  assert.equal(cellRemoves(table, why({}, mixed).alice ?? "", null), true, "no domain is given");
  const twoNames = stored("bob", "uid=bob,dc=x", {
    ...{ objectClass: ["inetOrgPerson", "posixAccount"], uid: ["bob", "b"], mail: "b@campus.example" },
  });
  assert.equal(cellRemoves(table, why(campus, twoNames).bob ?? "", null), false, "a recipient that cannot be told");
});

test("the option chooses the refusals that remove an alias", () => {
  assert.deepEqual(tableOf(postfix(campus)).refused, ["domains", "reserved"]);
  for (const refused of ["remove", [], ["reserved"]] as const)
    assert.deepEqual(tableOf(postfix({ ...campus, refused })).refused, refused);
});

test("with another select, foreign domains and reserved names are refused, also on hosts", () => {
  assert.throws(() => postfix({ ...campus, select: () => undefined }), UserError);
  assert.throws(
    () => postfix({ on: { mx: { domains: ["a.example"] } } } as never),
    /^UserError: postfix: on\.mx: unknown option "domains"/,
  );
  assert.throws(() => postfix({ domains: ["no domain"] }), /postfix: domains/);
  assert.throws(() => postfix({ reserved: ["root@campus.example"] }), /postfix: reserved/);
});
