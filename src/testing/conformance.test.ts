import assert from "node:assert/strict";
import { appendFileSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { z } from "zod";
import { Hostname, Ip } from "../core/service/columns.ts";
import { service, type TableService } from "../core/service/service.ts";
import { readContent } from "../directories/ldif/content.ts";
import { type ConformanceOptions, conformance, type Examined, examine } from "./conformance.ts";

const machines = [
  ["a", "192.0.2.1", "the first"],
  ["b", "192.0.2.2", "the second"],
  ["c", "192.0.2.3", "the third"],
];
const ldif = machines.map(
  ([name, ip, text]) =>
    `dn: cn=${name},dc=example\nobjectClass: ipHost\ncn: ${name}\nipHostNumber: ${ip}\ndescription: ${text}\n`,
);
const entries = readContent(Buffer.from(ldif.join("\n")), "sample.ldif");

const row = z.object({ name: Hostname, ip: Ip, text: z.string() });
type Row = z.infer<typeof row>;
type Parts = Partial<Pick<TableService<Row, Row, Row | undefined>, "select" | "run">>;

const path = "/etc/demo/hosts";
const textOf = (rows: Iterable<Row>): string => [...rows].map(({ name, ip }) => `${ip} ${name}\n`).join("");

/** A service that keeps every rule, except in the given parts. */
function made(parts: Parts = {}): Examined {
  return service({
    row,
    unique: ["name", "ip"],
    select(machine) {
      if (!machine.is("ipHost")) return undefined;
      return { name: machine.name, ip: machine.one("ipHostNumber"), text: machine.one("description") };
    },
    async run({ rows }, host) {
      await host.install({ path, text: textOf(rows) });
    },
    ...parts,
  });
}

/** The rules that a service breaks, each with its counterexample. */
async function broken(of: Examined, options: ConformanceOptions = {}): Promise<Map<string, string>> {
  const verdicts = await Array.fromAsync(examine(of, { entries, histories: 6, crashes: 10, ...options }));
  return new Map(
    verdicts.filter(({ passed }) => !passed).map(({ name, counterexample }) => [name, counterexample.join("\n")]),
  );
}
const rulesBrokenBy = async (of: Examined): Promise<string[]> => [...(await broken(of)).keys()];

test("a service that installs its rows as a file breaks no rule", async () => {
  assert.deepEqual(await rulesBrokenBy(made()), []);
});

test("a service that appends to its file is not idempotent", async () => {
  const found = await broken(
    made({
      async run({ rows, changes }, host) {
        await host.files.makeDirectory("/etc/demo");
        const old = new TextDecoder().decode(await host.files.read(path));
        const news = changes ? changes.flatMap(({ after }) => after ?? []) : rows;
        await host.files.write(path, old + textOf(news));
      },
    }),
  );
  assert.match(found.get("idempotent") ?? "", /^\+ 192\.0\.2\.1 a$/m);
  assert.ok(found.has("safe on deletion"));
});

test("a service that numbers rows as they come depends on their order", async () => {
  const found = await broken(
    made({
      async run({ rows }, host) {
        const known: string[] = JSON.parse(host.memory.get("names") ?? "[]");
        const names = [...rows].map(({ name }) => name);
        const all = [...known.filter((name) => names.includes(name)), ...names.filter((name) => !known.includes(name))];
        host.memory.set("names", JSON.stringify(all));
        await host.install({ path, text: all.map((name, number) => `${number} ${name}\n`).join("") });
      },
    }),
  );
  assert.ok(found.has("independent of order"));
  assert.ok(!found.has("idempotent") && !found.has("safe on an empty table"));
});

test("a service whose select reads the clock is not deterministic", async () => {
  const found = await broken(
    made({
      select: (machine) =>
        machine.is("ipHost")
          ? { name: machine.name, ip: machine.one("ipHostNumber"), text: new Date().toISOString().slice(0, 10) }
          : undefined,
    }),
  );
  assert.match(found.get("deterministic") ?? "", /^select, with another clock and other random numbers/);
});

test("a service that writes the time into its file is not idempotent", async () => {
  const found = await broken(
    made({
      run: async ({ rows }, host) => void (await host.install({ path, text: `# ${Date.now()}\n${textOf(rows)}` })),
    }),
  );
  assert.match(found.get("idempotent") ?? "", /^full run 1 on the same rows, an hour later:/);
});

test("a service that does nothing with its rows does not run", async () => {
  const says = /^a first run on 3 rows does no more than one on no rows/;
  const adds = made({
    run: async ({ changes = [] }, host) =>
      void (await host.install({ path, text: textOf(changes.flatMap(({ after }) => after ?? [])) })),
  });
  assert.match((await broken(adds)).get("runs") ?? "", says);
  const tells = made({
    run: async ({ rows }, host) => void (await host.tell(["load"], { input: textOf(rows) })),
  });
  assert.ok(!(await broken(tells)).has("runs"));
});

test("a select that refuses its samples gives the reasons as sentences", async () => {
  const refuses = made({ select: (machine) => ({ name: machine.one("uid"), ip: "192.0.2.1", text: "" }) });
  assert.match((await broken(refuses)).get("runs") ?? "", /^refused: uid is missing$/m);
});

test("a file that a program makes in a missing folder leaves no folder behind", async () => {
  const touches = made({
    async run({ rows, changes }, host) {
      for (const { before, after } of changes ?? []) if (!after) await host.tell(["rm", "-f", `/srv/${before.name}`]);
      for (const { name } of rows) await host.tell(["touch", `/srv/${name}`]);
    },
  });
  assert.ok(!(await broken(touches)).has("safe on an empty table"));
});

test("a value that leads to another folder is shown with the paths", async () => {
  const writes = made({
    run: async ({ rows }, host) =>
      void (await host.install(
        [...rows].map(({ text }) => ({ path: `/srv/${text}`, text: "" })),
        { all: true },
      )),
  });
  const found = (await broken(writes)).get("hostile values stay inside") ?? "";
  assert.match(found, /files lie elsewhere \(- expected, \+ found\):\n- \/srv\/the first\n\+ \//);
});

test("a service that leaves the file of a removed row is unsafe on deletion", async () => {
  const found = await broken(
    made({
      async run({ rows }, host) {
        for (const one of rows) await host.install({ path: `/etc/demo/${one.name}`, text: `${one.ip}\n` });
      },
    }),
  );
  assert.match(found.get("safe on deletion") ?? "", /^\/etc\/demo\/a is left over$/m);
  assert.ok(!found.has("idempotent"));
});

test("a service that removes the files of its rows with them breaks no rule", async () => {
  const files = made({
    async run({ rows }, host) {
      const all = [...rows].map(({ name, ip }) => ({ path: `/etc/demo/${name}`, text: `${ip}\n` }));
      await host.install(all, { all: true });
    },
  });
  assert.deepEqual(await rulesBrokenBy(files), []);
});

test("a service that does nothing without rows is not safe on an empty table", async () => {
  const found = await broken(
    made({
      async run({ rows }, host) {
        if (rows.size > 0) await host.install({ path, text: textOf(rows) });
      },
    }),
  );
  assert.match(found.get("safe on an empty table") ?? "", /^\+ 192\.0\.2\.1 a$/m);
  assert.deepEqual(
    [...found.keys()].filter((name) => name !== "independent of order"),
    ["safe on an empty table"],
  );
});

test("a service that writes values unescaped lets hostile ones through", async () => {
  const lines = (rows: Iterable<Row>, quote: (text: string) => string): string =>
    [...rows].map(({ ip, text }) => `host ${ip} { text ${quote(text)}; }\n`).join("");
  const raw = await broken(
    made({
      run: async ({ rows }, host) => void (await host.install({ path, text: lines(rows, (text) => `"${text}"`) })),
    }),
  );
  assert.match(raw.get("hostile values stay inside") ?? "", /^description of cn=a,dc=example with a newline/);
  const quoted = made({
    run: async ({ rows }, host) =>
      void (await host.install({ path, text: lines(rows, (text) => JSON.stringify(text)) })),
  });
  assert.deepEqual(await rulesBrokenBy(quoted), []);
});

test("a shell that gets values unescaped lets hostile ones through", async () => {
  const shell = await broken(
    made({
      async run({ rows }, host) {
        await host.install({ path, text: textOf(rows) });
        for (const { text } of rows) await host.tell(["sh", "-c", `announce ${text.replaceAll(/\s/g, "_")}`]);
      },
    }),
  );
  assert.match(shell.get("hostile values stay inside") ?? "", /another command is run:\n\+ \["sh","-c",/);
  const argument = made({
    async run({ rows }, host) {
      await host.install({ path, text: textOf(rows) });
      for (const { text } of rows) await host.tell(["announce", "--", text]);
    },
  });
  assert.deepEqual(await rulesBrokenBy(argument), []);
});

test("a service whose lock outlives a crash does not converge", async () => {
  const found = await broken(
    made({
      async run({ rows }, host) {
        if (await host.files.stat("/run/demo.lock")) throw new Error("another run is under way");
        await host.files.makeDirectory("/run");
        await host.files.write("/run/demo.lock", "");
        await host.install({ path, text: textOf(rows) });
        await host.files.remove("/run/demo.lock");
      },
    }),
  );
  assert.match(
    found.get("converges after a crash at every step") ?? "",
    /^the process is killed after `.*` \(step .*the host does not come to rest: another run is under way$/s,
  );
  assert.deepEqual([...found.keys()], ["converges after a crash at every step"]);
});

test("a service that reads or writes files by itself does not run", async () => {
  const reads = made({
    select: (machine) => ({ name: machine.name, ip: "192.0.2.1", text: readFileSync("/etc/hostname", "utf8") }),
  });
  assert.match((await broken(reads)).get("runs") ?? "", /fs\.readFileSync/);
  const writes = made({
    async run() {
      appendFileSync("/nonexistent/demo", "evil");
    },
  });
  assert.match((await broken(writes)).get("runs") ?? "", /fs\.appendFileSync/);
  assert.ok(readFileSync(import.meta.filename, "utf8").length > 0);
});

test("a service that relies on its daemon's memory is caught", async () => {
  const notes = (has: boolean): Examined =>
    made({
      async run({ rows }, host) {
        for (const { name, ip } of rows) {
          if (has && host.memory.get(name) === ip) continue;
          await host.tell(["bind-address", name, ip]);
          host.memory.set(name, ip);
        }
      },
    });
  const rules = ["mends an unknown state"];
  assert.match((await broken(notes(true), { rules })).get("mends an unknown state") ?? "", /bind-address/);
  assert.equal((await broken(notes(false), { rules })).size, 0);
});

test("a test of a broken service fails with every rule that it breaks", async () => {
  const forgets = made({
    run: async ({ changes, rows }, host) =>
      void (await host.install({ path, text: changes ? "" : `${Date.now()} ${rows.size}` })),
  });
  await assert.rejects(
    conformance(forgets, { entries }),
    /fail {2}idempotent: a full run on rows that are .*\nfail {2}independent of order: /s,
  );
});

test("equal seeds give equal verdicts", async () => {
  const of = made({
    run: async ({ rows, changes }, host) =>
      void (await host.install({ path, text: `${rows.size} ${changes?.length}` })),
  });
  assert.deepEqual(await broken(of, { seed: 7 }), await broken(of, { seed: 7 }));
});
