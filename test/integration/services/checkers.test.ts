import assert from "node:assert/strict";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { reason } from "../../../src/core/util/errors.ts";
import { realMachine } from "../../../src/machines/real.ts";
import type { Machine } from "../../../src/ports/machine.ts";
import { bind } from "../../../src/services/bind.ts";
import { bindZone } from "../../../src/services/bind-zone.ts";
import { freeradius } from "../../../src/services/freeradius.ts";
import { iscDhcp } from "../../../src/services/isc-dhcp.ts";
import { postfix } from "../../../src/services/postfix.ts";
import { sceneOn } from "../../services/scene.ts";

// The real checkers, in folders that a daemon's user or group may write: they run with the rights of that user.

const skip = process.getuid?.() === 0 ? false : "only root can give folders to another user";
const daemon = 61_007;

/** A folder with an owner and a mode, and a state that root alone can enter. */
function folders(t: TestContext, { uid, gid, mode }: { uid: number; gid: number; mode: number }) {
  const top = mkdtempSync(join(tmpdir(), "trigger-checkers-"));
  chmodSync(top, 0o755);
  t.after(() => rmSync(top, { recursive: true }));
  mkdirSync(join(top, "state"), { mode: 0o700 });
  const theirs = join(top, "theirs");
  mkdirSync(theirs);
  chownSync(theirs, uid, gid);
  chmodSync(theirs, mode);
  return { theirs, machine: realMachine({ scratch: join(top, "state/scratch"), kept: join(top, "state/kept") }) };
}

test("rndc has the rights of the user who may write its key", { skip }, async (t) => {
  const { theirs, machine } = folders(t, { uid: 0, gid: 0, mode: 0o755 });
  const asked: string[] = [];
  let owner = daemon;
  const watched: Machine = {
    ...machine,
    files: {
      ...machine.files,
      stat: async (path) =>
        path === "/etc/bind/rndc.key"
          ? { kind: "file", mode: 0o640, uid: owner, gid: owner, size: 100 }
          : machine.files.stat(path),
    },
    async run(command, options) {
      if (!("socket" in command) && command.includes("rndc")) asked.push(command.join(" "));
      else return machine.run(command, options);
      return { code: 0, stdout: "", stderr: "" };
    },
  };
  const zone = bindZone({ zone: "campus.example", ns: ["ns.example"], directory: theirs });
  const { run } = sceneOn(zone, watched);
  await run({ a: { name: "box.campus.example", ips: ["10.0.0.3"] } }, { whole: true });
  owner = 0;
  await run({ a: { name: "box.campus.example", ips: ["10.0.0.4"] } });
  const rights = `setpriv --reuid=${daemon} --regid=${daemon} --clear-groups --no-new-privs --`;
  assert.deepEqual(asked, [`${rights} rndc reload campus.example`, "rndc reload campus.example"]);
});

test("radclient reads no secret through a link of the daemon's user", { skip }, async (t) => {
  const { theirs, machine } = folders(t, { uid: daemon, gid: daemon, mode: 0o755 });
  const [secret, path] = [join(theirs, "trigger.secret"), join(theirs, "authorize")];
  const top = join(theirs, "..");
  writeFileSync(join(top, "shadow"), "root:hash\n", { mode: 0o600 });
  symlinkSync("../shadow", secret);
  const place = { path, config: theirs, module: "files", socket: join(theirs, "no.sock") };
  const said: string[] = [];
  const watched: Machine = {
    ...machine,
    async run(command, options) {
      const output = await machine.run(command, options);
      said.push(`${"socket" in command ? "" : command.join(" ")}: ${output.code} ${output.stderr}`);
      return output;
    },
  };
  const { observe } = sceneOn(freeradius({ ...place, probe: { secretFile: secret } }), watched);
  await observe();
  assert.match(said.join("\n"), /radclient .*: 1 .*[Pp]ermission denied/s);
});

test("a key that another user may write is not read by nsupdate as root", { skip }, async (t) => {
  const { theirs, machine } = folders(t, { uid: 0, gid: 0, mode: 0o755 });
  const key = join(theirs, "trigger.key");
  writeFileSync(key, 'include "/etc/shadow";\n');
  chownSync(key, daemon, daemon);
  const { run } = sceneOn(bind({ zone: "campus.example", key }), machine);
  await assert.rejects(
    run({}, { whole: true }),
    /trigger.key belongs to uid 61007: nsupdate would read, as root, .*: chown root /,
  );
});

test("postmap makes no map in a folder that another user may write", { skip }, async (t) => {
  const { theirs, machine } = folders(t, { uid: daemon, gid: daemon, mode: 0o755 });
  const { run } = sceneOn(postfix({ path: join(theirs, "virtual") }), machine);
  const rows = { a: { alias: "box@campus.example", to: ["alice"] } };
  await assert.rejects(
    run(rows, { whole: true }),
    /other users may write .*theirs \(uid 61007.*follow their links as root/,
  );
  assert.deepEqual(readdirSync(theirs), []);
});

for (const [whose, owned] of [
  ["root, writable for a group, as Debian's for BIND", { uid: 0, gid: daemon, mode: 0o775 }],
  ["the daemon's user", { uid: daemon, gid: daemon, mode: 0o755 }],
] as const) {
  test(`named-checkzone checks a zone in a folder of ${whose}`, { skip }, async (t) => {
    assert.ok(existsSync("/usr/bin/named-checkzone"), "bind9-utils is not installed: run scripts/setup.sh test");
    const { theirs, machine } = folders(t, owned);
    const settings = { zone: "campus.example", ns: ["ns1.campus.example"], directory: theirs, reload: false } as const;
    const records = ["ns1 A 10.0.0.2"];
    const { run } = sceneOn(bindZone({ ...settings, records }), machine);
    await run({ a: { name: "box.campus.example", ips: ["10.0.0.3"] } }, { whole: true });
    assert.match(readFileSync(join(theirs, "db.campus.example"), "utf8"), /^box IN A 10\.0\.0\.3$/m);
    const wrong = sceneOn(bindZone({ ...settings, records: [...records, "x A 10.0.0.300"] }), machine);
    rmSync(join(theirs, "db.campus.example"));
    const why = await wrong.run({}, { whole: true }).then(() => "", reason);
    assert.match(why, /named-checkzone exited 1: .*bad dotted quad/s);
  });

  test(`dhcpd checks a file in a folder of ${whose}`, { skip }, async (t) => {
    if (!existsSync("/usr/sbin/dhcpd")) return t.skip("this Debian has no ISC DHCP");
    const { theirs, machine } = folders(t, owned);
    const [path, within] = [join(theirs, "hosts.conf"), join(theirs, "dhcpd.conf")];
    writeFileSync(within, `subnet 10.0.0.0 netmask 255.255.255.0 {}\ninclude "${path}";\n`);
    const service = iscDhcp({ path, within, reload: false });
    const { run } = sceneOn(service, machine);
    await run({ a: { mac: "02:00:00:00:00:01", ip: "10.0.0.3", name: "box" } }, { whole: true });
    assert.match(readFileSync(path, "utf8"), /host box/);
    writeFileSync(within, `subnet 10.0.0.0 netmask 255.255.255.0 {}\nno such;\ninclude "${path}";\n`);
    const why = await run({ a: { mac: "02:00:00:00:00:01", ip: "10.0.0.4", name: "box" } }).then(() => "", reason);
    assert.match(why, /dhcpd exited 1/);
  });
}
