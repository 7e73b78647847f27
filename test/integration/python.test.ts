import assert from "node:assert/strict";
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { promisify } from "node:util";
import { laptop, ldif, makeProject, printer } from "../project.ts";
import { startRabbit } from "../servers/rabbitmq.ts";
import { until } from "../until.ts";

// docs/protocol.md in another language: examples/python, with Debian's Python and pika, beside trigger's own transcriber.

const python = "/usr/bin/python3";
const example = (name: string): string => join(import.meta.dirname, "../../examples/python", name);
const hosts = { civet: ["event"], x: ["names", "note"] };

interface Shown {
  readonly equal: boolean;
  readonly mark: { readonly epoch: number; readonly seq: number };
  readonly cells: Readonly<Record<string, string>>;
}

/** A host in Python, and the lines of JSON that it has printed. */
function pythonHost(t: TestContext, words: readonly string[]) {
  const child: ChildProcess = spawn(python, [example("host.py"), ...words], { stdio: ["ignore", "pipe", "pipe"] });
  let [out, err] = ["", ""];
  child.stdout?.on("data", (text) => {
    out += text;
  });
  child.stderr?.on("data", (text) => {
    err += text;
  });
  const ended = new Promise((resolve) => child.on("close", resolve));
  const end = async (): Promise<void> => {
    child.kill("SIGKILL");
    await ended;
  };
  t.after(end);
  return {
    end,
    lines(): unknown[] {
      assert.equal(err, "");
      return out
        .split("\n")
        .slice(0, -1)
        .map((line) => JSON.parse(line));
    },
  };
}

/** A host in Python of a table, and its rows as far as it has found them equal to the transcriber's. */
function tableHost(t: TestContext, url: string, said: () => string) {
  const host = pythonHost(t, [url, "x", "names"]);
  const last = (): Shown | undefined => host.lines().at(-1) as Shown | undefined;
  const rows = (): string[] =>
    Object.values(last()?.cells ?? {})
      .map((cell) => (cell.startsWith("!") ? "refused" : `${JSON.parse(cell).name} ${JSON.parse(cell).ip}`))
      .sort();
  return {
    ...host,
    has: (...expected: string[]) =>
      until(() => rows().join() === expected.join() && last()?.equal, { within: 30_000 }).catch((error) => {
        throw new Error(`${error.message}: ${JSON.stringify(host.lines())}\n${said()}`);
      }),
  };
}

/** The binding in Python. */
const binding =
  (url: string) =>
  (...words: string[]) =>
    promisify(execFile)(python, [example("event.py"), url, ...words]);

test("a host and a binding in Python follow the directory, and their messages arrive", {
  timeout: 120_000,
}, async (t) => {
  await using server = await startRabbit();
  const project = makeProject(t, {
    files: {
      "trigger.config.ts": `import { defineConfig } from "trigger";
export default defineConfig({
  broker: { url: ${JSON.stringify(server.url)} },
  directory: { ldif: "directory.ldif" },
  hosts: ${JSON.stringify(hosts)},
});\n`,
    },
  });
  const up = project.spawn(["up", "--host", "civet"]);
  const queues = async (): Promise<string> => server.ctl("-q", "list_queues", "name");
  await until(async () => /trigger-x-note/.test(await queues()), { within: 30_000 });

  let host = tableHost(t, server.url, up.said);
  await host.has("laptop 192.0.2.11", "printer 192.0.2.10"); // digest, buckets, a part, and the digest that proves them equal

  const script = binding(server.url);
  const dn = "cn=printer,dc=campus,dc=example";
  const event = [
    { entryDN: [dn], ipHostNumber: ["192.0.2.10"] },
    { entryDN: [dn], ipHostNumber: ["192.0.2.20"] },
    { who: "cn=admin", why: "it has moved" },
  ];
  await script("event", JSON.stringify(event));
  project.write("directory.ldif", ldif([{ ...printer, ip: "192.0.2.20" }, laptop]));
  await host.has("laptop 192.0.2.11", "printer 192.0.2.20"); // rows in their sequence: no question was needed
  await until(() => up.said().includes(`${dn} was changed by cn=admin: it has moved`));

  project.write("directory.ldif", ldif([printer, { ...laptop, ip: printer.ip }]));
  await host.has("refused", "refused");
  await host.end();
  project.write("directory.ldif", ldif([printer, laptop, { name: "zoe", ip: "192.0.2.30" }]));
  host = tableHost(t, server.url, up.said); // with nothing, and with what was sent meanwhile in its queue
  await host.has("laptop 192.0.2.11", "printer 192.0.2.10", "zoe 192.0.2.30");

  await script("note", '{"n": 1, "é": "\\u0000"}');
  const notes = pythonHost(t, [server.url, "x", "note", "plain"]);
  await script("note", '{"n": 2}');
  await until(() => notes.lines().length === 2);
  assert.deepEqual(notes.lines(), [{ n: 1, é: "\u0000" }, { n: 2 }]);

  // Nothing of what it asked or said was dropped as broken.
  assert.ok(!/dropped|not understood|broken/.test(up.said()), up.said());
  await assert.rejects(script("nobody", "{}"), /UnroutableError/);
});

test("events of a Python binding change a Python host's rows without a directory", {
  timeout: 120_000,
}, async (t) => {
  await using server = await startRabbit();
  const project = makeProject(t, {
    files: { "trigger.config.ts": `export default ${JSON.stringify({ broker: { url: server.url }, hosts })};\n` },
  });
  const seeded = await project.trigger(["seed", "directory.ldif"]);
  assert.match(seeded.out, /directory\.db is seeded: 3 entries/, seeded.err);
  const up = project.spawn(["up", "--host", "civet"]);
  const ready = async (): Promise<boolean> => /trigger-x-names/.test(await server.ctl("-q", "list_queues", "name"));
  await until(ready, { within: 30_000 });
  const host = tableHost(t, server.url, up.said);
  await host.has("laptop 192.0.2.11", "printer 192.0.2.10");

  const publish = binding(server.url);
  const machine = (name: string, ip: string) => ({
    entryDN: [`cn=${name},dc=campus,dc=example`],
    objectClass: ["device", "ipHost"],
    cn: [name],
    ipHostNumber: [ip],
  });
  const event = (before: object | null, after: object | null) =>
    publish("event", JSON.stringify([before, after, { who: "cn=admin" }]));
  await event(machine("printer", "192.0.2.10"), machine("printer", "192.0.2.20"));
  await host.has("laptop 192.0.2.11", "printer 192.0.2.20");
  await event(null, machine("zoë", "192.0.2.30"));
  await event(null, machine("zoe", "192.0.2.30"));
  await event(machine("laptop", "192.0.2.11"), null);
  await host.has("printer 192.0.2.20", "refused", "zoe 192.0.2.30"); // one is no host name, and so claims no address
  await event(machine("zoë", "192.0.2.30"), null);
  await host.has("printer 192.0.2.20", "zoe 192.0.2.30");
  project.write("directory.ldif", ldif([])); // what it was seeded from is not looked at any more
  await event(machine("printer", "192.0.2.20"), machine("printer", "192.0.2.21"));
  await host.has("printer 192.0.2.21", "zoe 192.0.2.30");

  await publish("event", "[null, {}, null]"); // no name: it is set aside and said, and what comes after it is taken
  await event(machine("zoe", "192.0.2.30"), null);
  await host.has("printer 192.0.2.21");
  assert.match(up.said(), /not an event: /);
});
