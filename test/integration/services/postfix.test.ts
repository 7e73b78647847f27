import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { suite, test } from "node:test";
import fc from "fast-check";
import type { Service } from "../../../src/core/service/service.ts";
import { isRefused } from "../../../src/core/stream/cells.ts";
import { Held } from "../../../src/core/util/errors.ts";
import { realMachine } from "../../../src/machines/real.ts";
import { aliasRow, postfix } from "../../../src/services/postfix.ts";
import { transcription } from "../../../src/transcriber/tables/transcription.ts";
import { stored } from "../../fixtures/entry.ts";
import { startPostfix } from "../../servers/postfix.ts";
import { anything } from "../../services/hostile.ts";
import { sceneOn, tableOf } from "../../services/scene.ts";

for (const file of ["/usr/sbin/postmap", "/usr/lib/postfix/postfix-lmdb.so", "/usr/lib/postfix/postfix-cdb.so"]) {
  assert.ok(existsSync(file), `${file} is not installed: run scripts/setup.sh test`);
}
const skip = process.getuid?.() === 0 ? false : "only root can start Postfix";

const bureau = { alias: "Bureau@Campus.Example", to: ["alice@elsewhere.example"] };
const office = { alias: "office@campus.example", to: ["bob@elsewhere.example", "alice@elsewhere.example"] };

const plain = fc.stringMatching(/^[A-Za-z0-9._+=&~-]{1,20}(@[a-z]{1,5}\.example)?$/);

const given = (service: Service) => sceneOn(service, realMachine());

suite("Postfix", { concurrency: true, skip }, () => {
  for (const type of ["lmdb", "cdb"] as const) {
    test(`Postfix follows a table of aliases in an ${type}: each next RCPT sees it`, async () => {
      await using server = await startPostfix(type);
      const { run, observe, machine } = given(postfix({ type, path: server.path }));
      const ok = async (...aliases: string[]) => {
        for (const alias of aliases) assert.match(await server.rcpt(`${alias}@campus.example`), /^250 /, alias);
      };
      const unknown = async (alias: string) =>
        assert.match(await server.rcpt(`${alias}@campus.example`), /^550 5\.1\.1 /, alias);
      // From nothing: Postfix is there when the map comes.
      await run({ a: bureau }, { whole: true });
      await server.start();
      await ok("bureau", "BUREAU");
      await unknown("office");
      // A live change, a rename, a removal, a swap.
      await run({ a: bureau, b: office });
      await ok("bureau", "office");
      await run({ a: { ...bureau, alias: "desk@campus.example" }, b: office });
      await ok("desk", "office");
      await unknown("bureau");
      await run({ a: { ...bureau, alias: "office@campus.example" }, b: { ...office, alias: "desk@campus.example" } });
      assert.deepEqual(await observe(), [
        { alias: "desk@campus.example", to: [...office.to].sort() },
        { alias: "office@campus.example", to: bureau.to },
      ]);
      await run({ b: office });
      await ok("office");
      await unknown("desk");
      // A hand edit is seen, and mended.
      if (type === "lmdb") {
        execFileSync("postmap", ["-i", `lmdb:${server.path}`], { input: "mallory@campus.example eve\n" });
        execFileSync("postmap", ["-d", "office@campus.example", `lmdb:${server.path}`]);
        await ok("mallory");
        assert.deepEqual(await observe(), [{ alias: "mallory@campus.example", to: ["eve"] }]);
        await run({ b: office }, { whole: true });
        await ok("office");
        await unknown("mallory");
        const { mtimeMs, ino } = statSync(`${server.path}.lmdb`);
        await run({ b: office }, { whole: true });
        const after = statSync(`${server.path}.lmdb`);
        assert.deepEqual([after.mtimeMs, after.ino], [mtimeMs, ino]);
      }
      // The whole map is made aside and renamed under a Postfix that has it open.
      const many = Object.fromEntries(
        Array.from({ length: 300 }, (_, n) => [`k${n}`, { ...office, alias: `m${n}@campus.example` }]),
      );
      await run({ b: office, ...many });
      await ok("m0", "m299", "office");
      if (type === "cdb") return;
      // Postfix killed and back.
      await server.kill9();
      await run({ b: office, c: bureau, ...many });
      await server.start();
      await ok("bureau", "m7");
      assert.equal(
        (
          await machine.run(["postmap", "-q", "m7@campus.example", `${type}:${server.path}`], {
            changes: false,
            deadline: 10_000,
          })
        ).code,
        0,
      );
    });
  }

  test("a member's own mail makes no foreign or reserved alias; an alias entry may", async () => {
    await using server = await startPostfix("lmdb");
    const service = postfix({ path: server.path, domains: ["campus.example"] });
    const names = ["root", "postmaster", "abuse", "a.l", "dean"].map((local) => `${local}@campus.example`);
    const members = [...names, "dean@elsewhere.example", "root"].map((mail, index) =>
      stored(`m${index}`, `uid=m${index},dc=x`, {
        objectClass: ["inetOrgPerson", "posixAccount"],
        ...{ uid: `m${index}`, mail },
      }),
    );
    const dean = stored("dean", "uid=dean,dc=x", { objectClass: ["posixAccount"], uid: "dean" });
    const alias = stored("alias", "cn=abuse,dc=x", {
      objectClass: "nisMailAlias",
      ...{ cn: "noc@campus.example", rfc822MailMember: "m3" },
    });
    const tables = transcription(new Map([["mail", tableOf(service)]]), { timezone: "UTC" });
    tables.refresh([...members, dean, alias], 0);
    const cells = [...tables.table("mail").entries()].filter(([, cell]) => !isRefused(cell));
    await given(service).run(Object.fromEntries(cells.map(([key, cell]) => [key, JSON.parse(cell)])), { whole: true });
    await server.start();
    for (const known of ["a.l", "noc"]) assert.match(await server.rcpt(`${known}@campus.example`), /^250 /, known);
    for (const unknown of ["root", "abuse", "dean"])
      assert.match(await server.rcpt(`${unknown}@campus.example`), /^550 5\.1\.1 /, unknown);
    assert.throws(() => execFileSync("postmap", ["-q", "dean@elsewhere.example", `lmdb:${server.path}`]));
  });

  test("a foreign map is held, and the reason counts its differences", async () => {
    await using server = await startPostfix("lmdb");
    const { run } = given(postfix({ path: server.path }));
    execFileSync("postmap", ["-i", `lmdb:${server.path}`], { input: "old@campus.example eve\n" });
    await assert.rejects(run({ a: bureau }, { whole: true }), (error) => {
      assert.ok(error instanceof Held);
      assert.match(error.message, /1 aliases are missing or differ, 1 are only there/);
      return true;
    });
  });

  test("any values are refused, or are in the map exactly as given", async () => {
    await using server = await startPostfix("lmdb");
    for (const type of ["lmdb", "cdb"] as const) {
      const seed = Number(process.env.SEED ?? Date.now() % 0x7fffffff);
      const alias = fc.oneof(
        { weight: 8, arbitrary: plain },
        anything("bureau"),
        anything("bureau@campus.example"),
        fc.emailAddress(),
      );
      const rows = new Map<string, object>();
      for (const row of fc.sample(fc.record({ alias, to: fc.array(alias, { minLength: 1, maxLength: 3 }) }), {
        numRuns: 300,
        seed,
      })) {
        const read = aliasRow.safeParse(row).data;
        if (read) rows.set(read.alias, read);
      }
      assert.ok(rows.size > 3, `only ${rows.size} aliases were taken (SEED=${seed})`);
      const { run, observe } = given(postfix({ type, path: `${server.path}-any` }));
      const meant = [...rows.values()]
        .map((row) => aliasRow.parse(row))
        .map(({ alias, to }) => ({ alias, to: [...new Set(to)].sort() }));
      meant.sort((a, b) => (a.alias < b.alias ? -1 : 1));
      await run(Object.fromEntries(rows), { whole: true });
      assert.deepEqual(await observe(), meant, `SEED=${seed}`);
      await run({ ...Object.fromEntries(rows), other: { alias: "other-alias", to: ["x"] } });
      await run(Object.fromEntries(rows));
      assert.deepEqual(await observe(), meant, `SEED=${seed}`);
    }
  });
});
