import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Service } from "../../src/core/service/service.ts";
import { tableOf } from "./scene.ts";

const root = join(import.meta.dirname, "../..");
const examples = join(root, "test/types/right/docs"); // compiled by test/types

for (const file of readdirSync(examples)) {
  const text = readFileSync(join(examples, file), "utf8");
  const page = `docs/services/${file.replace(/\.ts$/, ".md")}`;

  test(`the example of ${page} is one that compiles and makes a service`, async () => {
    assert.ok(readFileSync(join(root, page), "utf8").includes(text), `${page} does not have the text of ${file}`);
    const runnable = text.replace('"trigger"', JSON.stringify(`file://${root}/src/index.ts`));
    const module: { default: Service } = await import(`data:text/javascript,${encodeURIComponent(runnable)}`);
    assert.equal(typeof tableOf(module.default).run, "function");
  });
}

test("every ready-made service has a page", () => {
  const door = readFileSync(join(root, "src/index.ts"), "utf8");
  const services = [...door.matchAll(/^export \{[^}]*\} from "\.\/services\/(.+)\.ts"/gm)].map(
    ([, name]) => `${name}.md`,
  );
  services.splice(services.indexOf("records.md"), 1); // what a service of one's own is written with
  assert.deepEqual(readdirSync(join(root, "docs/services")).sort(), services.sort());
});
