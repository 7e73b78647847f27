import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Away } from "../../../src/core/util/errors.ts";
import { realMachine } from "../../../src/machines/real.ts";
import { freeradius } from "../../../src/services/freeradius.ts";
import { freeRadius } from "../../servers/freeradius.ts";
import { sceneOn } from "../../services/scene.ts";
import { until } from "../../until.ts";

assert.ok(existsSync("/usr/sbin/freeradius"), "freeradius is not installed: run scripts/setup.sh test");

const skip = process.getuid?.() === 0 ? false : "only root can give folders to another user";
const daemon = 61_002;
const alice = { name: "alice", password: "{CLEARTEXT}secret" };

/** A configuration whose Perl module says as which user it runs. */
const evil = (folder: string): string => `libdir = /usr/lib/freeradius
modules {
	perl {
		filename = ${folder}/evil.pl
	}
}
server check {
	listen {
		type = auth
		ipaddr = 127.0.0.1
		port = 1812
	}
	authorize {
		perl
	}
}
`;

test("a daemon's user cannot run code as root by swapping a check's folders", { skip, timeout: 120_000 }, async (t) => {
  await using server = await freeRadius();
  const theirs = mkdtempSync(join(tmpdir(), "trigger-evil-"));
  t.after(() => rmSync(theirs, { recursive: true }));
  mkdirSync(join(theirs, "evil"));
  writeFileSync(join(theirs, "evil", "radiusd.conf"), evil(theirs));
  writeFileSync(join(theirs, "evil.pl"), `system("id -u >> ${theirs}/who");\n1;\n`);
  writeFileSync(join(theirs, "who"), "");
  chmodSync(join(theirs, "who"), 0o666);
  execFileSync("chown", ["-R", `${daemon}:${daemon}`, server.folder, theirs]);
  // A program that the configuration runs shows which user checks it.
  const { status } = await checkedBy(daemon, join(theirs, "evil"));
  assert.equal(status, 0);
  assert.equal(readFileSync(join(theirs, "who"), "utf8"), `${daemon}\n`);

  const { run, log } = sceneOn(freeradius(server.place), realMachine());
  await assert.rejects(run({ a: alice }, { whole: true }), Away);
  await server.start();
  await run({ a: alice }, { whole: true });

  const swap = `cd ${server.folder}; n=0; while :; do for d in .trigger*; do
    [ -d $d ] && ! cmp -s $d/radiusd.conf ${theirs}/evil/radiusd.conf && mv $d old$n && cp -r ${theirs}/evil $d && n=$((n+1))
  done; done`;
  const attacker = spawn("sh", ["-c", swap], { uid: daemon, gid: daemon, stdio: "ignore" });
  t.after(() => void attacker.kill("SIGKILL"));
  await until(() => readdirSync(server.folder).includes("old0"));
  for (let vlan = 1; vlan <= 15; vlan++) await run({ a: { ...alice, vlan: String(vlan) } }).catch(() => {});
  attacker.kill("SIGKILL");
  await once(attacker, "exit");
  assert.doesNotMatch(readFileSync(join(theirs, "who"), "utf8"), /^0$/m);

  // The folder of their making is moved away, and all goes on in one of root's.
  await run({ a: { ...alice, vlan: "19" } });
  assert.ok(log.some((line) => /\.trigger belongs to another user \(uid 61002.*it is moved to/.test(line)));
  assert.equal(statSync(join(server.folder, ".trigger")).uid, 0);
  for (const name of readdirSync(server.folder)) {
    if (/^(\.trigger|old)/.test(name)) rmSync(join(server.folder, name), { recursive: true });
  }
  await run({ a: { ...alice, vlan: "20" } }, { whole: true });
  assert.equal(await server.pap("alice", "secret"), "Access-Accept");
});

function checkedBy(uid: number, folder: string): Promise<{ status: number | null }> {
  const child = spawn("freeradius", ["-C", "-d", folder, "-l", "stdout"], { uid, gid: uid, stdio: "ignore" });
  return once(child, "exit").then(([status]) => ({ status }));
}
