import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { readConfig } from "../core/config/config.ts";
import type { Project } from "../project/project.ts";
import { connectBroker } from "./broker.ts";
import { dryProject } from "./dry-run.ts";

const project = (folder: string, broker?: object) => ({
  folder,
  state: join(folder, "state"),
  config: readConfig({ broker, directory: { ldif: "a.ldif" }, hosts: { a: ["event"] } }, "trigger.config.ts"),
});

test("a config that names no broker gets the file of this machine", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "trigger-daemon-"));
  t.after(() => rmSync(folder, { recursive: true }));
  await using broker = await connectBroker(project(folder));
  assert.equal(broker.trouble(), undefined);
  assert.ok(existsSync(join(folder, "state", "broker.db")));
});

test("a config that names RabbitMQ gets it, the environment's password first", async () => {
  const to = { url: "amqp://a@127.0.0.1:1", passwordFile: "no-such-file" };
  await using fromFile = await connectBroker(project("/nowhere", to));
  assert.match(fromFile.trouble() ?? "", /passwordFile: ENOENT.*\/nowhere\/no-such-file/);
  await using fromEnvironment = await connectBroker(project("/nowhere", to), { password: "x" });
  assert.match(fromEnvironment.trouble() ?? "", /ECONNREFUSED/);
});

test("a dry host uses no broker of the others", () => {
  const { config } = dryProject(project("/nowhere", { url: "amqps://a@mq" }) as Project);
  assert.equal(config.broker, undefined);
});
