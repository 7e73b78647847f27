import assert from "node:assert/strict";
import { openStoreFile } from "../../src/daemon/store-file.ts";
import { hostStore } from "../../src/host/store/host-store.ts";
import { memoryMachine } from "../../src/testing/memory-machine.ts";
import { virtualClock } from "../../src/testing/virtual-clock.ts";
import { until } from "../until.ts";
import { initial, later, made, meanwhile, otherReport, row, start, transcriberState } from "./expected.ts";
import { hostName } from "./project.ts";
import { openWorld, type World } from "./world.ts";

/** The life of a host until its process was killed, with every kind of data in its store. */

/**
 * Runs the story in a state folder, and gives the host's machine and log. The host runs on in memory, as it was when it
 * was cut off.
 */
export async function liveHost(state: string) {
  const clock = virtualClock(start);
  const lost: string[] = [];
  const database = openStoreFile(state, hostName, clock.now(), (line) => void lost.push(line));
  const machine = memoryMachine({ files: { "/etc/found.conf": "by hand\n", "/etc/taken.conf": "by hand\n" } });
  const world = openWorld({ database, clock, machine, epoch: start * 1000 });
  for (const [name, rows] of Object.entries(initial)) await world.say(name, rows);
  const first = world.up(world.services);
  await until(() => world.services.every((name) => world.isQuiet(name)));
  await clock.advance(2000);
  await first.down();
  await clock.advance(58_000);

  const services = world.services.filter((name) => name !== "left");
  world.up(services);
  await until(() => services.every((name) => world.isQuiet(name)));
  await clock.advance(2000);
  await livePlain(world);
  await liveRemovals(world);
  await liveKinds(world);
  await liveFiles(world);
  await cutOff(world);
  hostStore(database).transcriber.keepReport(otherReport);
  hostStore(database).transcriber.keepState(transcriberState);
  assert.deepEqual(lost, []);
  return {
    machine,
    logged: world.logged,
    sentences: {
      found: world.report("found").held,
      many: hostStore(database).service("many").seen.retained(1)[0]?.detail,
      givenUp: world.report("mail").why,
      wave: world.report("wave").why,
    },
  };
}

/** Messages that were handled, parked, set aside, and wait. */
async function livePlain({ send, order, plain, report, clock }: World): Promise<void> {
  plain.notes.gives.add(3);
  await send("notes", { n: 1 }, "one");
  await send("notes", { n: 2 }, "two");
  await send("notes", { n: 3 }, "three");
  await send("notes", "no JSON");
  await until(() => report("notes").parkedCount === 2 && report("notes").pending === 0);
  await order("notes", "hold", { why: "the list moves" });
  await until(() => report("notes").held);
  await send("notes", { n: 4 }, "four");
  await send("notes", { n: 5 });
  await until(() => report("notes").pending === 2);
  await clock.advance(1000);
}

/** Removals that are held, approved, allowed and counted. */
async function liveRemovals({ say, order, report, daemon, clock }: World): Promise<void> {
  await order("allowed", "approve", { allow: { rows: 16, until: start + 24 * 60 * 60_000 } });
  daemon("approved").controls.before = () => {
    throw new Error("not now");
  };
  for (const name of ["many", "approved", "allowed", "hour"]) await say(name, later[name] ?? []);
  await until(() => report("many").removals && report("approved").removals);
  await until(() => daemon("allowed").served.size === 36 && daemon("hour").served.size === 32);
  await clock.advance(1000);
  await order("approved", "approve", { digest: report("approved").removals?.digest });
  await until(() => report("approved").failing);
  await clock.advance(1000);
}

/** Rows that wait, each for another reason, and what is shown beside them. */
async function liveKinds({ say, order, tell, report, daemon, records, clock }: World): Promise<void> {
  await order("person", "hold", { why: "the switch is being replaced" });
  await until(() => report("person").held);
  const runs = records.seen.length;
  for (const name of ["person", "kinds", "doors", "records"]) await say(name, later[name] ?? []);
  await until(() => report("kinds").refusedCount === 6 && report("kinds").pending === 0);
  await until(() => daemon("doors").served.size === 1 && records.seen.length > runs && report("person").pending === 2);
  await clock.advance(1000);
  await order("kinds", "verify", { at: clock.now() });
  await until(() => report("kinds").verified);
  await clock.advance(1000);
  await until(() => report("kinds").verified?.daemon?.state === "same");
  await tell("hour", { trigger: 1, kind: "wave", service: "hour", epoch: 1, seq: 1, failing: "forged" });
  await until(() => report("hour").untrusted);
}

/** Files that were found, that another program writes, and that a daemon refuses to load. */
async function liveFiles({ say, order, machine, report, programs, database, clock }: World): Promise<void> {
  await order("taken", "hold", { why: "looked at" });
  await until(() => report("taken").heldBy === "person");
  await order("taken", "approve", { digest: report("taken").conflict });
  await until(() => report("taken").conflict === undefined);
  machine.place("/etc/mail.conf", "by another hand\n");
  programs.reload.mail = () =>
    machine.text("/etc/mail.conf")?.includes("broken") ? { code: 1, stderr: "cannot bind" } : {};
  await say("mail", later.mail ?? []);
  await until(() => report("mail").failing);
  for (let second = 0; second < 15; second++) await clock.advance(1000);
  await until(() => hostStore(database).service("mail").facts?.fatal);
  // Its daemon was started again, and the probe finds that it serves nothing.
  programs.probe = () => ({ code: 1, stderr: "not served" });
  programs.reload.owing = () => new Promise(() => {});
  machine.restarted("owing");
  await clock.advance(10_000);
  await until(() => report("owing").reloads.length === 1);
}

/** The work of the last seconds, cut off unfinished. */
async function cutOff(world: World): Promise<void> {
  const { say, lose, digest, tell, send, plain, daemon, programs, controls, machine, report, clock } = world;
  const left = made - 6000 - clock.now();
  assert.ok(left > 0);
  for (let seconds = 0; seconds < Math.floor(left / 1000); seconds++) await clock.advance(1000);
  await clock.advance(left % 1000);

  for (const name of ["a1", "a2", "a3", "a4"]) {
    await say("units", [["a", row(name, "10.0.0.1")]]);
    await until(() => machine.text("/etc/units.conf")?.includes(name) && report("units").pending === 0);
    await clock.advance(1000);
  }
  plain.stubborn.fails.add(1);
  await send("stubborn", { n: 1 }, "first");
  await send("stubborn", { n: 2 }, "second");
  await until(() => report("stubborn").failing);
  await clock.advance(1000);
  programs.reload.debt = () => new Promise(() => {});
  daemon("cut").controls.before = () => new Promise(() => {});
  for (const name of ["debt", "cut", "wave"]) await say(name, later[name] ?? []);
  await until(() => report("debt").reloads.length === 1 && daemon("cut").seen.interrupted.length === 3);
  await until(() => report("wave").why?.startsWith("waits for the wave"));
  await say("cut", [meanwhile]);

  let parts = 0;
  controls.answering = (name, answer) => name !== "repair" || answer.kind !== "part" || parts++ === 0;
  lose("repair", later.repair ?? []);
  await digest("repair");
  await until(() => parts === 2);
  const { stored } = report("pieces");
  const piece = { trigger: 1, service: "pieces", ...stored, seq: (stored?.seq ?? 0) + 1, kind: "rows", piece: 0 };
  await tell("pieces", { ...piece, more: true, rows: later.pieces });
  await clock.advance(made - clock.now());
}
