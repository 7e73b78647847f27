import assert from "node:assert/strict";
import { renameSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { systemClock } from "../../src/daemon/clock.ts";
import { ldif, type Machine, makeProject, type Running, type TestProject } from "../project.ts";
import { until } from "../until.ts";

/**
 * The whole program as an operator runs it: a process per host, and a directory that people edit. The daemon fails now
 * and then, and `kill -9` may come at any moment. `SEED=n` repeats the choices of a former run, but not their exact times.
 */

const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
/** The length of the faults, in milliseconds. `patience` is the longest time until all is well afterwards. */
const storm = 10_000;
const patience = 60_000;

const tableHosts = ["box1", "box2"];
const hosts = { civet: ["event"], box1: ["names"], box2: ["names", "note"] };

test(`daemons serve the directory's rows after kills and failed reloads (SEED=${seed})`, async (t) => {
  const project = makeProject(t, {
    hosts,
    files: { "services/names.ts": names, "check.sh": check, "reload.sh": reload },
  });
  const below = lot(seed);
  const directory = editor(project, below);
  const network = processes(project);
  const sent: number[] = [];
  directory.put();
  for (const host of Object.keys(hosts)) network.start(host);
  await until(() => tableHosts.every((host) => project.read(`out/${host}/served`) !== undefined), { within: patience });

  const end = performance.now() + storm;
  while (performance.now() < end) {
    await systemClock.sleep(20 + below(300));
    network.noneEndedByItself();
    const dice = below(10);
    if (dice < 4) directory.change();
    if (dice === 4) await network.kill(Object.keys(hosts)[below(3)]!);
    if (dice === 5) directory.change();
    if (dice === 5) await killInReload(tableHosts[below(2)]!);
    if (dice === 6 || dice === 7) network.startMissing();
    if (dice === 8) {
      sent.push(sent.length);
      const { code, err } = await project.trigger(["send", "note", `{"n": ${sent.length - 1}}`]);
      assert.equal(code, 0, err);
    }
    if (dice === 9) assert.match(String((await project.trigger(["status"])).code), /^[012]$/);
  }

  project.write("calm", "");
  network.startMissing();
  directory.last();
  await servedInTime();

  // Each host is killed in the reload itself, and the next reload fails. The file is in place, and only the host's own
  // store records that the daemon has not read it.
  for (const host of tableHosts) project.write(`out/${host}/unlucky`, "");
  directory.last();
  await Promise.all(tableHosts.map((host) => killInReload(host)));
  network.startMissing();
  await servedInTime();
  network.noneEndedByItself();

  // Each host ends gracefully and starts again; then it compares its table with the transcriber's.
  for (const host of tableHosts) await network.stop(host);
  network.startMissing();
  const well = async () => (await project.trigger(["status"])).code === 0;
  await until(async () => (await well()) && (await comparedEqual(project)) && served(), { within: patience });
  const notes = (project.read("out/box2/notes") ?? "").split("\n").slice(0, -1).map(Number);
  // A handler that was killed before its end runs again; no other message comes twice or out of order.
  assert.deepEqual([...new Set(notes)], sent);
  assert.ok(notes.length - sent.length <= network.kills("box2"), `${notes}`);
  await until(() => tableHosts.every((host) => leftInQueues(project, host) === 0));
  for (const host of Object.keys(hosts)) await network.stop(host);
  const reloaded = tableHosts.map((host) => reloads(project, host)).join(" and ");
  t.diagnostic(`SEED=${seed}: ${network.kills()} kills, ${directory.edits()} edits, ${reloaded} reloads`);

  async function servedInTime(): Promise<void> {
    await until(served, { within: patience }).catch((error) => {
      const seen = tableHosts.map((host) => `${host} serves:\n${project.read(`out/${host}/served`)}`);
      const rows = expected(directory.machines()).join("\n");
      throw new Error([error.message, `expected:\n${rows}`, ...seen, network.said()].join("\n"));
    });
  }

  /** Kills a host at its next reload, or after a second. */
  async function killInReload(host: string): Promise<void> {
    const before = reloads(project, host);
    const end = performance.now() + 1000;
    await until(() => reloads(project, host) > before || performance.now() > end);
    await network.kill(host);
  }

  function served(): boolean {
    return tableHosts.every((host) => {
      const lines = (project.read(`out/${host}/served`) ?? "").split("\n").slice(0, -1);
      assert.equal(lines.at(-1), `# end ${lines.length - 1}`, "a file that is not whole was applied");
      const rows = lines.slice(0, -1);
      const current = project.read(`out/${host}/names`) === project.read(`out/${host}/served`);
      return current && agrees(rows, directory.machines());
    });
  }
});

/**
 * True if the rows are those of the directory, read in the simplest way. A refused machine may keep a former row that
 * conflicts with no other.
 */
function agrees(rows: readonly string[], machines: readonly Machine[]): boolean {
  const good = expected(machines);
  const known = new Set(machines.map(({ uuid }) => uuid));
  const goodIds = new Set(good.map((row) => row.split(" ")[0]));
  const others = rows.filter((row) => !goodIds.has(row.split(" ")[0]));
  const values = rows.flatMap((row) => row.split(" ").slice(1));
  return (
    good.every((row) => rows.includes(row)) &&
    rows.length === good.length + others.length &&
    others.every((row) => known.has(row.split(" ")[0])) &&
    new Set(values).size === values.length
  );
}

function expected(machines: readonly Machine[]): string[] {
  const ips = machines.map(({ ip }) => ip);
  const good = machines.filter(({ ip }) => !ip.startsWith("none") && ips.indexOf(ip) === ips.lastIndexOf(ip));
  return good.map(({ uuid, name, ip }) => `${uuid} ${name} ${ip}`);
}

/**
 * True if each table's last stored place is in the transcriber's epoch and was found equal. No row may be pending and
 * no message parked.
 */
async function comparedEqual(project: TestProject): Promise<boolean> {
  const { out } = await project.trigger(["status", "--json"]);
  const { hosts } = JSON.parse(out);
  const epoch = hosts.find(({ host }: { host: string }) => host === "civet").transcriber?.epoch;
  return hosts.every(
    ({ services }: { services: Record<string, Record<string, { epoch: number; seq: number } & number>> }) =>
      Object.values(services).every(({ form, stored, equal, pending, parkedCount }) => {
        if (pending !== 0 || parkedCount !== 0) return false;
        if (String(form) === "plain") return true;
        return stored?.epoch === epoch && equal?.epoch === epoch && equal?.seq === stored?.seq;
      }),
  );
}

/** The number of messages that the broker still has for a host; acknowledged ones are gone. */
function leftInQueues(project: TestProject, host: string): number {
  using broker = new DatabaseSync(project.path(".trigger/broker.db"), { readOnly: true, timeout: 1000 });
  const sum = broker.prepare("SELECT sum(messages) AS left FROM queue WHERE name LIKE ?").get(`trigger-${host}-%`);
  return Number(sum?.left);
}

const reloads = (project: TestProject, host: string): number =>
  (project.read(`out/${host}/reloads`) ?? "").split("\n").length - 1;

/** The processes of the network, one per host. */
function processes(project: TestProject) {
  const running = new Map<string, Running>();
  const former: Running[] = [];
  const killed: string[] = [];
  const start = (host: string): void => {
    if (running.has(host)) return;
    running.set(host, project.spawn(["up", "--host", host]));
  };
  async function end(host: string, signal: NodeJS.Signals) {
    const process = running.get(host);
    if (!process) return undefined;
    running.delete(host);
    former.push(process);
    return process.end(signal);
  }
  return {
    start,
    startMissing() {
      for (const host of Object.keys(hosts)) start(host);
    },
    async kill(host: string) {
      if (await end(host, "SIGKILL")) killed.push(host);
    },
    async stop(host: string) {
      const ended = await end(host, "SIGTERM");
      assert.equal(ended?.code, 0, ended && `${ended.out}${ended.err}`);
    },
    noneEndedByItself() {
      for (const [host, process] of running) assert.ok(!process.over(), `${host} ended by itself:\n${process.said()}`);
    },
    kills: (host?: string) => killed.filter((one) => host === undefined || one === host).length,
    said: () => [...running].map(([host, process]) => `${host} said:\n${process.said()}`).join("\n"),
  };
}

/** An editor of the directory: most edits are good, some are mistakes. */
function editor(project: TestProject, below: (limit: number) => number) {
  let machines: Machine[] = Array.from({ length: 20 }, (_, n) => machine(n));
  let number = machines.length;
  let edits = 0;

  function machine(n: number): Machine {
    const uuid = `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`;
    return { uuid, name: `m${n}`, ip: `10.0.${Math.floor(n / 200)}.${(n % 200) + 1}` };
  }
  const replace = (text: string): void => {
    edits += 1;
    writeFileSync(project.path("directory.new"), text);
    renameSync(project.path("directory.new"), project.path("directory.ldif"));
  };
  const put = (): void => replace(ldif(machines));
  const any = (): number => below(machines.length);
  const set = (index: number, change: Partial<Machine>): void => {
    machines = machines.map((one, at) => (at === index ? { ...one, ...change } : one));
  };
  const swap = (column: "name" | "ip"): void => {
    const [a, b] = [any(), any()];
    const [one, other] = [machines[a]![column], machines[b]![column]];
    set(a, { [column]: other });
    set(b, { [column]: one });
  };
  const add = (): void => {
    machines = [...machines, machine(number++)];
  };
  const edit = [
    add,
    add,
    () => {
      const gone = any();
      if (machines.length > 5) machines = machines.filter((_, at) => at !== gone);
    },
    () => set(any(), { ip: machine(number++).ip }),
    () => set(any(), { name: `renamed${number++}` }),
    () => swap("ip"),
    () => swap("name"),
    () => set(any(), { ip: `none${number++}` }),
    () => set(any(), { ip: machines[any()]!.ip }),
  ];
  return {
    put,
    change() {
      const dice = below(20);
      // Three ways to make the directory unreadable: no LDIF, truncated in place, absent for a while.
      if (dice === 0) return replace(`${ldif(machines)}\nthis is no LDIF\n`);
      if (dice === 1) return writeFileSync(project.path("directory.ldif"), ldif(machines).slice(0, -30));
      for (let times = 1 + below(3); times > 0; times--) edit[below(edit.length)]!();
      put();
    },
    last() {
      add();
      put();
    },
    machines: () => machines,
    edits: () => edits,
  };
}

/** Numbers below a limit, always the same for the same seed (mulberry32). */
function lot(start: number): (limit: number) => number {
  let state = start;
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
}

const names = `
import { fileURLToPath } from "node:url";
import { files, Hostname, Ip, z } from "trigger";
const at = (name: string) => fileURLToPath(new URL(\`../\${name}\`, import.meta.url));
const steps = (host: string) => ({
  check: ["sh", at("check.sh"), "{staged}"] as const,
  reload: ["sh", at("reload.sh"), at(\`out/\${host}\`), at("calm"), "${seed % 1000}"] as const,
});
export default files({
  row: z.object({ id: z.string(), name: Hostname, ip: Ip }),
  unique: ["name", "ip"],
  pace: 100,
  select: (host) => (host.is("ipHost") ? { id: host.uuid, name: host.name, ip: host.one("ipHostNumber") } : undefined),
  files: (rows, host) => ({
    path: at(\`out/\${host.name}/names\`),
    text: [...rows].map(({ id, name, ip }) => \`\${id} \${name} \${ip}\\n\`).join("") + \`# end \${rows.size}\\n\`,
  }),
  on: { box1: steps("box1"), box2: steps("box2") },
});
`;

/** The checker of the daemon: every line is a row, and the last one has their number. */
const check = `
grep -v -E '^([0-9a-f-]{36} [a-z0-9]+ [0-9.]+|# end [0-9]+)$' "$1" && exit 1
[ "$(tail -n 1 "$1")" = "# end $(($(wc -l < "$1") - 1))" ]
`;

/**
 * The daemon: it serves the file of its last reload. A reload takes a while, fails now and then, and ends with the
 * process that asked for it.
 */
const reload = `
exec 9> "$1/lock"
flock 9
echo reload >> "$1/reloads"
sleep 0.05
kill -0 $PPID || exit 1
rm "$1/unlucky" 2> /dev/null && exit 1
[ -e "$2" ] || [ $((($(wc -l < "$1/reloads") * 7919 + $3) % 11)) -ne 0 ] || exit 1
cp "$1/names" "$1/served.new"
sleep 0.05
kill -0 $PPID || exit 1
mv "$1/served.new" "$1/served"
`;
