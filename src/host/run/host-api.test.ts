import assert from "node:assert/strict";
import { test } from "node:test";
import { emptyStore } from "../../../test/fixtures/empty-store.ts";
import { hostApiIn, standingClock } from "../../../test/fixtures/install.ts";
import { reason } from "../../core/util/errors.ts";
import { dryMachine } from "../../machines/dry.ts";
import { memoryMachine } from "../../testing/memory-machine.ts";

const machine = memoryMachine({
  programs: {
    well: ({ input }) => ({ stdout: `given ${input}` }),
    ill: () => ({ code: 3, stderr: "line 7: password\n" }),
  },
});
const scene = (more = {}) => ({ machine, database: emptyStore(), clock: standingClock(), ...more });

test("a failed command throws with program, code and output", async () => {
  const { host } = hostApiIn(scene());
  assert.equal((await host.ask(["well"], { input: "text" })).stdout, "given text");
  await assert.rejects(host.tell(["ill", "argument"]), /^CommandFailed: ill exited 3: line 7: password$/);
  await assert.rejects(host.ask(["absent"]), /absent exited 127/);
});

test("the output of a secret service's command is not shown", async () => {
  const { host } = hostApiIn(scene({ secret: true }));
  await assert.rejects(
    host.tell(["ill"]),
    (error) => !reason(error).includes("password") && /ill exited 3/.test(reason(error)),
  );
});

test("a run's memory is visible to others once it is committed", () => {
  const all = scene();
  const first = hostApiIn(all);
  first.host.memory.set("serial", "7");
  assert.equal(first.host.memory.get("serial"), "7");
  assert.equal(hostApiIn(all).host.memory.get("serial"), undefined);
  first.storeNotes();
  assert.equal(hostApiIn(all).host.memory.get("serial"), "7");
  assert.equal(hostApiIn({ ...all, service: "other" }).host.memory.get("serial"), undefined);
});

test("a run is serving if each of its installs is", async () => {
  const api = hostApiIn(scene());
  await api.host.install({ path: "/etc/a", text: "a" }, { probe: ["well"] });
  assert.equal(api.serving(), true);
  await api.host.install({ path: "/etc/b", text: "b" });
  assert.equal(api.serving(), undefined);
  await api.host.install({ path: "/etc/a", text: "a" });
  assert.equal(api.serving(), undefined);
});

test("a dry install is only noted, and the ledger is unchanged", async () => {
  const below = memoryMachine({ files: { "/etc/a": "one\n" } });
  const dry = dryMachine(below);
  const all = scene({ machine: dry });
  const api = hostApiIn(all);
  await api.host.install({ path: "/etc/a", text: "two\n" }, { check: ["ill"], reload: ["restart"], probe: ["ill"] });
  assert.deepEqual(dry.noted(), {
    files: [{ path: "/etc/a", before: "one\n", after: "two\n" }],
    changes: [],
    commands: [{ command: ["restart"], input: undefined }],
  });
  assert.equal(all.database.prepare("SELECT count(*) AS n FROM install_path").get()?.n, 0);
  assert.equal(await api.host.install({ path: "/etc/a", text: "two\n" }), "unchanged");
});
