import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { after, before, type TestContext, test } from "node:test";
import { ldif, makeProject, names, record } from "../project.ts";
import { type RabbitServer, startRabbit } from "../servers/rabbitmq.ts";
import { until } from "../until.ts";
import { configText, machines } from "./machines.fixture.ts";

// Real daemons, two of them transcribers: `select` never ends for one entry.

let server: RabbitServer;
before(async () => {
  server = await startRabbit();
});
after(() => server[Symbol.asyncDispose]());

/** Rows of refused entries are removed: those of an entry that is not decided must stay all the same. */
const service = names('refused: "remove",').replace(
  "select: (host) => (",
  `select: (host) => (
    host.maybe("description") === "loop" ? forEver() :
    host.maybe("description") === "expression" ? /^(a+)+$/.test("${"a".repeat(50)}!") :
    `,
);
const forEver = "function forEver() { for (;;) {} }\n";
const described = (how: string, ip: string): string => `${record({ name: "odd", ip })}description: ${how}\n`;

function scene(t: TestContext, broker: { url: string } | undefined) {
  const hosts = { civet: ["event"], genet: ["event"], box: ["names"] };
  const config = { ...(broker && { broker }), directory: { ldif: "directory.ldif" }, hosts };
  const files = { "trigger.config.ts": configText(config), "services/names.ts": `${service}${forEver}` };
  const project = makeProject(t, { files });
  const network = machines(() => project);
  const write = (odd: string, ip: string): void =>
    writeFileSync(project.path("directory.ldif"), `${ldif([{ name: "well", ip }])}${odd}`);
  const serves = (...lines: string[]) =>
    until(() => lines.every((line) => network.lines("box", "names").includes(line)), { within: 40_000 }).catch(
      (error) => {
        throw new Error(`${error.message}\n${lines}\n${network.lines("box", "names")}\n${network.said()}`);
      },
    );
  return { project, ...network, write, serves };
}

const elections = (said: string): number => said.split("is the active transcriber").length - 1;

for (const [where, broker] of [
  ["RabbitMQ", () => ({ url: server.url })],
  ["the embedded broker", () => undefined],
] as const) {
  test(`over ${where} a select that never ends leaves its rows, and others are served`, {
    timeout: 180_000,
  }, async (t) => {
    const { project, start, end, process, write, serves, said } = scene(t, broker());
    write(record({ name: "odd", ip: "192.0.2.9" }), "192.0.2.1");
    for (const host of ["civet", "box"]) start(host);
    await serves("odd 192.0.2.9", "well 192.0.2.1");
    start("genet");
    await until(() => process("genet").said().includes("up with event"), { within: 40_000 });
    let last = 1;
    for (const how of ["loop", "expression"]) {
      write(described(how, "192.0.2.77"), `192.0.2.${++last}`);
      await serves("odd 192.0.2.9", `well 192.0.2.${last}`);
      for (const name of ["civet", "genet"]) {
        await until(() => process(name).said().includes("does not end in time for cn=odd"), { within: 40_000 });
      }
      write(described(how, "192.0.2.78"), `192.0.2.${++last}`);
      await serves("odd 192.0.2.9", `well 192.0.2.${last}`);
    }
    const { code, out } = await project.trigger(["status"]);
    assert.equal(code, 1);
    assert.match(out, /^civet +event .* active(?:, evaluating .*)?; select does not end for 1 entry$/m);
    assert.match(
      out,
      /^civet: names: select does not end in time for cn=odd,dc=campus,dc=example since .*: change the entry, or select/m,
    );
    assert.match(out, /^box names: .*select does not end in time/m);
    assert.equal(elections(said()), 1, "the active transcriber lost its role while select ran");

    // Transcribers that have never seen the entry well say the same.
    for (const name of ["civet", "genet"]) await end(name, "SIGKILL");
    for (const name of ["civet", "genet"]) start(name);
    write(described("loop", "192.0.2.79"), `192.0.2.${++last}`);
    await serves("odd 192.0.2.9", `well 192.0.2.${last}`);
    write(record({ name: "odd", ip: "192.0.2.80" }), `192.0.2.${++last}`);
    await serves("odd 192.0.2.80", `well 192.0.2.${last}`);
    await until(async () => (await project.trigger(["status"])).code === 0, { within: 40_000 });
  });
}
