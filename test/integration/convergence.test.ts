import assert from "node:assert/strict";
import { copyFileSync, existsSync, rmSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import { laptop, ldif, makeProject, printer } from "../project.ts";
import { until } from "../until.ts";
import { daemon, shared } from "./shared-daemon.fixture.ts";

/** Convergence: after any loss while a host or a broker is down, all becomes equal without an approval. */

const tablet = { name: "tablet", ip: "192.0.2.12" };

/** A project whose host has a file and a daemon with foreign records; it is up and well on return. */
async function scene(t: TestContext) {
  const project = makeProject(t, {
    hosts: { box: ["names", "dns"], civet: ["event"] },
    files: { "services/dns.ts": shared, "out/box/daemon": "theirs 192.0.2.99\n" },
  });
  const start = (host = "--all") => project.spawn(host === "--all" ? ["up", host] : ["up", "--host", host]);
  const serves = async (...lines: string[]): Promise<void> => {
    const all = [...lines].sort();
    await until(() => daemon(project).join() === ["theirs 192.0.2.99", ...all].sort().join(), { within: 30_000 });
    await until(() => project.read("out/box/names")?.trim().split("\n").sort().join() === all.join(), {
      within: 30_000,
    });
    // The file has no held line, and the status is well: nothing waits for an approval.
    await until(async () => (await project.trigger(["status"])).code === 0, { within: 30_000 });
  };
  const store = (suffix = "") => project.path(`.trigger/box/store.db${suffix}`);
  const deleteStore = (): void => {
    for (const suffix of ["", "-wal", "-shm"]) rmSync(store(suffix), { force: true });
  };
  const up = start();
  await serves("laptop 192.0.2.11", "printer 192.0.2.10");
  return { project, up, start, serves, store, deleteStore };
}

test("a host with a deleted store recognizes its own records, unwanted ones too", async (t) => {
  const { project, up, start, serves, deleteStore } = await scene(t);
  await up.end("SIGTERM");
  deleteStore();
  // The directory changes and loses an entry, while no store has a record of the host's lines.
  project.write("directory.ldif", ldif([{ ...printer, ip: "192.0.2.20" }, tablet]));
  const again = start();
  await serves("printer 192.0.2.20", "tablet 192.0.2.12");
  assert.doesNotMatch(again.said(), /held/);
});

test("a host whose store is restored from an old backup reaches today's directory", async (t) => {
  const { project, up, start, serves, store, deleteStore } = await scene(t);
  await up.end("SIGTERM");
  copyFileSync(store(), store(".backup"));
  project.write("directory.ldif", ldif([printer, tablet]));
  const second = start();
  await serves("printer 192.0.2.10", "tablet 192.0.2.12");
  await second.end("SIGKILL");
  deleteStore();
  copyFileSync(store(".backup"), store());
  start();
  await serves("printer 192.0.2.10", "tablet 192.0.2.12");
});

test("a purge of the queue of an absent host is repaired", async (t) => {
  const { project, up, start, serves } = await scene(t);
  await up.end("SIGTERM");
  const civet = start("civet");
  project.write("directory.ldif", ldif([laptop, tablet]));
  await until(() => /rows? changed by/.test(civet.said()), { within: 20_000 });
  const broker = new DatabaseSync(project.path(".trigger/broker.db"), { timeout: 5000 });
  await until(() => Number(broker.prepare("SELECT count(*) AS waiting FROM message").get()?.waiting) > 0);
  broker.exec("DELETE FROM message");
  broker.close();
  await civet.end("SIGTERM");
  start();
  await serves("laptop 192.0.2.11", "tablet 192.0.2.12");
});

test("a broker that lost its disk starts empty, and hosts reach the directory's state", async (t) => {
  const { project, up, start, serves } = await scene(t);
  await up.end("SIGKILL");
  for (const suffix of ["", "-wal", "-shm"]) rmSync(project.path(`.trigger/broker.db${suffix}`), { force: true });
  assert.ok(!existsSync(project.path(".trigger/broker.db")));
  project.write("directory.ldif", ldif([laptop, tablet]));
  start();
  await serves("laptop 192.0.2.11", "tablet 192.0.2.12");
});
