import assert from "node:assert/strict";
import { symlinkSync } from "node:fs";
import { type TestContext, test } from "node:test";
import { z } from "zod";
import { makeProject } from "../../test/project.ts";
import { openDirectory } from "../directory.ts";
import * as frontDoor from "../index.ts";
import { conformance } from "../testing.ts";
import { loadServices, openProject } from "./project.ts";

/** The error about a project with these files, or about its service `names`. */
async function wrong(t: TestContext, files: Record<string, string>, hosts?: Record<string, string[]>): Promise<string> {
  const { folder } = makeProject(t, { files, ...(hosts ? { hosts } : {}) });
  try {
    await loadServices(await openProject(folder), ["names"]);
  } catch (error) {
    assert.equal((error as Error).name, "UserError", String(error));
    return (error as Error).message.replaceAll(`file://${folder}/`, "").replaceAll(`${folder}/`, "");
  }
  return assert.fail("nothing is said");
}

test("a project may lie anywhere: trigger and zod are the running ones", async (t) => {
  const { folder, write } = makeProject(t);
  write(
    "services/names.ts",
    `import * as trigger from "trigger"; import { openDirectory } from "trigger/directory";
     import { conformance } from "trigger/testing"; import { z } from "zod"; import { same } from "../lib/same.ts";
     export default trigger.service(z.custom(() => true), async () => same(trigger, z, openDirectory, conformance));`,
  );
  write("lib/same.ts", `export const same = (...given: unknown[]) => { globalThis.given = given; };`);
  const { services } = await loadServices(await openProject(folder), ["names"]);
  const service = services.get("names");
  assert.ok(service && "plain" in service);
  await service.plain.handle(undefined, {} as frontDoor.Host);
  const [trigger, zod, writing, testing] = (globalThis as { given?: unknown[] }).given ?? [];
  assert.equal(trigger, frontDoor);
  assert.equal(zod, z);
  assert.equal(writing, openDirectory);
  assert.equal(testing, conformance);
});

test("a project is found by a relative path and through a symlink", async (t) => {
  const { folder, path } = makeProject(t);
  symlinkSync(folder, path("link"));
  const { config, state } = await openProject(path("link"));
  assert.deepEqual([...config.hosts.keys()], ["box", "civet"]);
  assert.equal(state, path("link/.trigger"));
});

test("only the services that are named are imported, and never the transcriber's own", async (t) => {
  const files = { "services/bad.ts": `throw new Error("it was imported");` };
  const { folder } = makeProject(t, { files, hosts: { box: ["names"], other: ["bad"], civet: ["event"] } });
  const project = await openProject(folder);
  const { services, codes } = await loadServices(project, ["names", "event"]);
  assert.deepEqual([...services.keys()], ["names"]);
  assert.deepEqual([...codes.keys()], ["names"]);
  await assert.rejects(loadServices(project, ["bad"]), /services\/bad\.ts: it was imported \(.*bad\.ts:1\)$/);
});

test("the code of a service changes with its file and with lib/ only", async (t) => {
  const codeOf = async ({ folder }: { folder: string }) =>
    (await loadServices(await openProject(folder), ["names"])).codes.get("names");
  const lib = { "lib/deep/one.ts": "export const one = 1;\n" };
  const code = await codeOf(makeProject(t, { files: lib }));
  assert.match(String(code), /^[0-9a-f]{12}$/);
  const note = makeProject(t).read("services/note.ts") ?? "";
  assert.equal(
    await codeOf(makeProject(t, { files: { ...lib, "services/note.ts": `${note}\n`, "README.md": "" } })),
    code,
  );
  assert.notEqual(await codeOf(makeProject(t, { files: { "lib/deep/one.ts": "export const one = 2;\n" } })), code);
  const names = makeProject(t).read("services/names.ts") ?? "";
  assert.notEqual(await codeOf(makeProject(t, { files: { ...lib, "services/names.ts": `${names}\n` } })), code);
});

test("a folder without a config is answered with the way to make one", async (t) => {
  const { path } = makeProject(t);
  await assert.rejects(openProject(path("services")), {
    name: "UserError",
    message: `${path("services/trigger.config.ts")} does not exist: \`trigger init\` makes a project, --project FOLDER names another`,
  });
});

test("a configured service without a file is answered with the known ones", async (t) => {
  assert.match(
    await wrong(t, {}, { box: ["nams"], civet: ["event"] }),
    /^trigger\.config\.ts: unknown service "nams" \(known: names, note\); did you mean "names"\?; its file would be services\/nams\.ts$/,
  );
});

test("a file that is no service is one error that names it", async (t) => {
  const service = "services/names.ts";
  const good = `row: z.object({ ip: Ip }), select: () => undefined, async run() {}`;
  const said: [text: string, error: RegExp][] = [
    ["export const names = 1;", /^services\/names\.ts: has no default export$/],
    ["export default 3;", /^services\/names\.ts: its default export is not a service: export default service\(/],
    ["export default null;", /^services\/names\.ts: its default export is not a service/],
    ["export default () => {};", /^services\/names\.ts: its default export is not a service/],
    [
      `export default service({ ${good}, uniqe: ["ip"] });`,
      /unknown option of a service "uniqe" .*did you mean "unique"\?$/,
    ],
    [
      "export default service({ row: z.object({ ip: Ip }), async run() {} });",
      /^services\/names\.ts: the service has no select$/,
    ],
    [
      `export default service({ ${good}, unique: ["mac"] });`,
      /^services\/names\.ts: unique: unknown column "mac" \(known: ip\)$/,
    ],
    [`export default service({ ${good}, run: 3 });`, /^services\/names\.ts: run: expected a function/],
    [
      `export default service({ ${good}, claims: { base: "dc=x" } });`,
      /^services\/names\.ts: claims: expected a function/,
    ],
    [`export default service({ ${good}, row: { ip: Ip } });`, /^services\/names\.ts: row: expected z\.object/],
    [`export default files({ ${good}, files: 3 });`, /^services\/names\.ts: .*files: .*\(services\/names\.ts:2\)$/],
    [`throw "a text";`, /^services\/names\.ts: a text$/],
  ];
  for (const [text, error] of said) {
    const whole = `import { files, Ip, service, z } from "trigger";\n${text}\n`;
    assert.match(await wrong(t, { [service]: whole }), error, text);
  }
});

test("a file that fails to compile or import is named with its line", async (t) => {
  const said: [text: string, error: RegExp][] = [
    ["\n\nexport default service({\n", /^services\/names\.ts: .*\(services\/names\.ts:\d+\)$/],
    ["\nenum Kind { A }\nexport default Kind;\n", /^services\/names\.ts: .*enum.*\(services\/names\.ts:2\)$/],
    [`\nimport { servce } from "trigger";\nexport default servce;\n`, /servce.*\(services\/names\.ts:2\)$/],
    ["\n\nexport default nothing.at.all;\n", /nothing is not defined \(services\/names\.ts:3\)$/],
    [`import { x } from "../lib/broken.ts";\nexport default x;`, /^services\/names\.ts: .*\(lib\/broken\.ts:3\)$/],
    [
      `import { x } from "../lib/none.ts";\nexport default x;`,
      /^services\/names\.ts: Cannot find module .*lib\/none\.ts/,
    ],
  ];
  for (const [text, error] of said) {
    const line = await wrong(t, { "services/names.ts": text, "lib/broken.ts": "\n\nexport const x = ;\n" });
    assert.match(line, error, text);
    assert.equal(line.split("\n").length, 1);
  }
});

test("a config that fails to compile or exports nothing is named", async (t) => {
  assert.match(
    await wrong(t, { "trigger.config.ts": "export default {{" }),
    /^trigger\.config\.ts: .*\(trigger\.config\.ts:1\)$/,
  );
  assert.equal(
    await wrong(t, { "trigger.config.ts": "export const x = 1;" }),
    "trigger.config.ts: has no default export",
  );
});
