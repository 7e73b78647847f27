import assert from "node:assert/strict";
import { basename } from "node:path";
import { test } from "node:test";
import { canonical } from "../../src/core/stream/cells.ts";
import type { Columns } from "../../src/core/util/json.ts";
import { hostStore } from "../../src/host/store/host-store.ts";
import { networkStatus } from "../../src/operations/network-status.ts";
import { until } from "../until.ts";
import * as expected from "./expected.ts";
import { foundFile, placesOf, removals, saidOf } from "./expected-reports.ts";
import { copyOf, folders, openHost, sentencesOf } from "./open.ts";
import { plainServices, projectOf } from "./project.ts";

const { made, start, tableOf, current, row, without } = expected;
const hour = 60 * 60_000;
const tables = Object.keys(expected.initial);

/** Makes a claim of the store in every folder, at the moment of its end or some time later. */
function everyStore(claim: string, work: (opened: Opened) => Promise<void>, { after = 0 } = {}) {
  for (const folder of folders)
    test(`${basename(folder)}: ${claim}`, { timeout: 20_000 }, (t) => work(openHost(t, folder, { at: made + after })));
}
type Opened = ReturnType<typeof openHost>;

const cells = (rows: Iterable<readonly [string, unknown]>) =>
  Object.fromEntries(
    [...rows].map(([key, cell]) => [key, typeof cell === "string" ? cell : canonical(cell as Columns)]),
  );

everyStore("every row is applied, pending or retained as before", async ({ database }) => {
  for (const name of tables)
    assert.deepEqual(cells(hostStore(database).service(name).runs.applied().entries()), cells(current(name)), name);
});

everyStore("an interrupted run has its run input", async ({ database }) => {
  const given = new Map([...current("cut"), ...(expected.later.cut ?? [])]);
  assert.deepEqual(cells(hostStore(database).service("cut").runs.current().entries()), cells(given));
});

everyStore("the report of each service is the same as before", async ({ report, sentences }) => {
  for (const name of [...tables, ...plainServices])
    assert.partialDeepStrictEqual(report(name), saidOf(name, sentences), name);
  for (const name of tables) {
    const { stored, applied, equal } = report(name);
    assert.deepEqual([stored?.seq, applied?.seq, equal?.seq], placesOf(name), name);
  }
});

for (const folder of folders)
  test(`${basename(folder)}: status reads it before it is migrated, or asks for a restart`, async (t) => {
    const project = projectOf(copyOf(t, folder));
    const read = () => networkStatus(project, made, new AbortController().signal);
    const [own, other] = await read().catch((error) => {
      assert.match(String(error), /was written by trigger 0\.1\.0, .*: restart its process/);
      openHost(t, folder, { state: project.state });
      return read();
    });
    for (const [name, said] of Object.entries(own?.services ?? {}))
      assert.partialDeepStrictEqual(said, saidOf(name, sentencesOf(folder)), name);
    assert.deepEqual(own?.transcriber, expected.transcriberState);
    assert.equal(own?.since, start + 60_000);
    assert.deepEqual([other?.at, other?.services], [expected.otherReport.heard, expected.otherReport.services]);
  });

everyStore("a service that a person holds is restored, without changes until approval", async (all) => {
  const { daemon, machine, order, clock, report } = all;
  const { served, seen } = daemon("person");
  await all.start("person");
  assert.equal(seen.runs, 0);
  machine.powerCut();
  await all.pass(clock.advance(10_000));
  assert.deepEqual(cells(served), cells(current("person")));
  await all.pass(order("person", "approve", { digest: removals }));
  assert.deepEqual([report("person").heldBy, report("person").held], ["person", saidOf("person", all.sentences).held]);
  await all.pass(order("person", "approve"));
  assert.deepEqual(cells(served), cells(tableOf("person")));
});

everyStore("held removals are approved by the shown digest alone", async (all) => {
  const { daemon, order, report, logged } = all;
  const { served } = daemon("many");
  await all.start("many");
  for (const digest of [undefined, foundFile]) await all.pass(order("many", "approve", { digest }));
  assert.equal(served.size, 40);
  assert.ok(
    logged.some((line) => line.includes(`nothing waits under ${foundFile}; `) && line.includes(` many ${removals}`)),
  );
  await all.pass(order("many", "approve", { digest: removals }));
  assert.deepEqual(cells(served), cells(tableOf("many")));
  assert.equal(report("many").removals, undefined);
});

everyStore("the next run uses an unused approval", async (all) => {
  const { served } = all.daemon("approved");
  await all.start("approved");
  assert.deepEqual(cells(served), cells(tableOf("approved")));
  await all.pass(all.say("approved", without(30, 40)));
  assert.equal(served.size, 10, "what was approved does not count");
});

everyStore("the rest of an allowance permits that number of removals", async (all) => {
  const { served } = all.daemon("allowed");
  await all.start("allowed");
  await all.pass(all.say("allowed", without(14, 26)));
  assert.equal(served.size, 24);
  await all.pass(all.say("allowed", without(26, 37)));
  assert.deepEqual([served.size, all.report("allowed").removals?.rows], [24, 11]);
});

everyStore("removals of the last hour count", async (all) => {
  await all.start("hour");
  await all.pass(all.say("hour", without(18, 21)));
  assert.deepEqual([all.daemon("hour").served.size, all.report("hour").removals?.rows], [32, 3]);
  await all.pass(all.tell("hour", { trigger: 1, kind: "wave", service: "hour", epoch: 1, seq: 1, failing: "forged" }));
  assert.equal(all.report("hour").untrusted?.count, 2);
});

everyStore(
  "removals older than an hour count no more",
  async (all) => {
    await all.start("hour");
    await all.pass(all.say("hour", without(18, 21)));
    assert.equal(all.daemon("hour").served.size, 29);
  },
  { after: hour },
);

everyStore("refused rows stay retained until they are corrected, and then are installed", async (all) => {
  const { machine, report, say } = all;
  await all.start("kinds");
  const keys = report("kinds").refused.map(({ key, why, retained }) => ({ key, why, retained }));
  assert.deepEqual(
    keys,
    saidOf("kinds", all.sentences).refused?.map(({ key, why, retained }) => ({ key, why, retained })),
  );
  const text = machine.text("/etc/kinds.conf");
  assert.match(text ?? "", /^10.0.0.1 check\n.*10.0.0.3 directory\n.*10.0.0.5 version\n$/s);
  const mended = expected.initial.kinds?.slice(1) ?? [];
  await all.pass(say("kinds", [...mended, ["never", row("never", "10.0.0.6")]]));
  assert.equal(report("kinds").refusedCount, 0);
  assert.equal(machine.text("/etc/kinds.conf")?.split("\n").length, 8);
});

everyStore("a row removed by its refusal stays absent until it is valid again", async (all) => {
  const { served } = all.daemon("doors");
  await all.start("doors");
  assert.deepEqual([...served.keys()], ["a"]);
  assert.equal(all.report("doors").refused[0]?.retained, false);
  await all.pass(all.say("doors", [["b", row("b", "10.0.0.2")]]));
  assert.deepEqual([...served.keys()], ["a", "b"]);
});

everyStore("an interrupted run is resumed as an interrupted one", async (all) => {
  const { served, seen } = all.daemon("cut");
  await all.start("cut");
  assert.deepEqual([seen.interrupted[0], seen.changes[0]], [true, undefined]);
  assert.deepEqual(cells(served), cells(tableOf("cut")));
  assert.equal(all.report("cut").pending, 0);
});

everyStore("an unfinished repair ends with equal tables", async (all) => {
  all.begin("repair");
  await until(() => !all.report("repair").doubt);
  await all.pass();
  assert.deepEqual(cells(all.daemon("repair").served), cells(tableOf("repair")));
});

everyStore("the last piece of a change applies the first one too", async (all) => {
  all.controls.answering = () => false;
  all.begin("pieces");
  const { served } = all.daemon("pieces");
  await until(() => served.size === 2);
  const { stored } = all.report("pieces");
  const last = { ...stored, seq: (stored?.seq ?? 0) + 1, rows: [expected.lastPiece], piece: 1, more: false };
  await all.pass(all.tell("pieces", { trigger: 1, kind: "rows", service: "pieces", ...last }));
  assert.deepEqual(cells(served), cells(tableOf("pieces")));
});

everyStore("a host that starts waits for no wave", async (all) => {
  await all.start("wave");
  assert.deepEqual(cells(all.daemon("wave").served), cells(tableOf("wave")));
  assert.equal(all.report("wave").why, undefined);
});

everyStore("waiting messages are handled in order, handled ones never again", async (all) => {
  const { handled } = all.plain.notes;
  await all.start("notes");
  for (const [n, id] of [
    [1, "one"],
    [2, "two"],
    [6, "six"],
  ] as const)
    await all.send("notes", { n }, id);
  await all.pass(all.send("notes", { n: 4 }, "four"));
  assert.deepEqual(handled, []);
  await all.pass(all.order("notes", "approve"));
  assert.deepEqual(handled, [4, 5, 6]);
  await all.pass(all.order("notes", "retry"));
  assert.deepEqual(handled, [4, 5, 6, 3]);
  assert.deepEqual(
    all.report("notes").parked.map(({ id }) => id),
    [4],
  );
  await all.pass(all.order("notes", "drop", { number: 4 }));
  assert.equal(all.report("notes").parkedCount, 0);
});

everyStore("a message that failed three times is parked after three more", async (all) => {
  const { fails, handled } = all.plain.stubborn;
  fails.add(1);
  await all.start("stubborn");
  for (let second = 0; second < 2; second++) await all.clock.advance(1000);
  assert.deepEqual([all.report("stubborn").parkedCount, handled], [0, []]);
  for (let second = 0; second < 4; second++) await all.clock.advance(1000);
  assert.deepEqual([all.report("stubborn").parkedCount, handled], [1, [2]]);
});

everyStore("an interrupted install gets its reload", async (all) => {
  await all.start("debt");
  assert.deepEqual(all.programs.reloaded, ["debt"]);
  assert.deepEqual([all.report("debt").reloads, all.report("debt").pending], [[], 0]);
  assert.equal(all.machine.text("/etc/debt.conf"), "10.0.0.9 another\n10.0.0.2 b\n");
  assert.equal(all.programs.serial.debt, "2", "what it noted is there");
});

everyStore("an interrupted install rolls back to its last good text", async (all) => {
  const { machine, programs, report } = all;
  const text = () => machine.text("/etc/debt.conf") ?? "";
  programs.reload.debt = () => (text().includes("another") ? { code: 1, stderr: "cannot bind" } : {});
  all.begin("debt");
  await until(() => report("debt").failing);
  assert.equal(text(), "10.0.0.1 a\n10.0.0.2 b\n");
});

everyStore("an installed file with a pending reload gets it", async (all) => {
  await all.start("owing");
  assert.deepEqual([all.programs.reloaded, all.report("owing").reloads], [["owing"], []]);
});

everyStore("a text that failed for good waits for a person", async (all) => {
  const { machine, programs, report, order, say } = all;
  await all.start("mail");
  assert.deepEqual(programs.reloaded, []);
  assert.equal(machine.text("/etc/mail.conf"), "by another hand\n");
  await all.pass(order("mail", "retry"));
  assert.deepEqual([programs.reloaded, report("mail").failing], [["mail"], false]);
  assert.equal(machine.text("/etc/mail.conf"), "10.0.0.1 a\n10.0.0.2 broken\n");
  for (const [time, ip] of ["10.0.0.6", "10.0.0.7"].entries()) {
    assert.equal(report("mail").held, undefined, `hand edit ${time + 1}`);
    machine.place("/etc/mail.conf", `by hand ${time}\n`);
    await all.pass(say("mail", [["b", row("b", ip)]]));
    for (let second = 0; second < 10; second++) await all.clock.advance(1000);
  }
  assert.match(report("mail").held ?? "", /another program keeps writing/);
});

everyStore("a foreign file is replaced by approval of its own digest alone", async (all) => {
  const text = () => all.machine.text("/etc/found.conf");
  await all.start("found");
  await all.pass(all.order("found", "approve", { digest: removals }));
  assert.equal(text(), "by hand\n");
  await all.pass(all.order("found", "approve", { digest: foundFile }));
  assert.equal(text(), "10.0.0.1 a\n10.0.0.2 b\n");
});

everyStore("an approved foreign file is replaced when its service resumes", async (all) => {
  const text = () => all.machine.text("/etc/taken.conf");
  await all.start("taken");
  assert.equal(text(), "by hand\n");
  await all.pass(all.order("taken", "approve"));
  assert.equal(text(), "10.0.0.1 a\n10.0.0.2 b\n");
});

everyStore("a unit near its start limit rests until it may start again", async (all) => {
  const { programs, clock } = all;
  await all.start("units");
  await all.say("units", [["a", row("a5", "10.0.0.1")]]);
  await clock.advance(2500);
  assert.deepEqual(programs.reloaded, []);
  await clock.advance(1000);
  assert.deepEqual(programs.reloaded, ["units"]);
});

everyStore("a file that the service wrote is removed with its row", async (all) => {
  await all.start("spool");
  all.machine.place("/etc/spool/theirs", "by hand");
  await all.pass(all.say("spool", [["b", null]]));
  assert.deepEqual(
    ["a", "b", "theirs"].map((name) => all.machine.text(`/etc/spool/${name}`)),
    ["10.0.0.1", undefined, "by hand"],
  );
});

everyStore("records have their owner as before, or were given up", async (all) => {
  await all.start("records");
  assert.deepEqual(all.records.seen[0], { ours: ["a"], gone: true, changed: false });
});

everyStore("a service left by the config is listed, and can be forgotten", async ({ database }) => {
  assert.deepEqual(hostStore(database).leftBy("left"), {
    service: "left",
    rows: 2,
    messages: 0,
    files: [],
    records: [],
  });
  hostStore(database).forget("left");
  assert.equal(hostStore(database).services().includes("left"), false);
});
