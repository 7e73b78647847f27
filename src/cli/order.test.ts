import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { main } from "./main.ts";

test("a command without its broker ends with one line", { timeout: 60_000 }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "trigger-order-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const broker = { url: "amqp://trigger-box@127.0.0.1:1" }; // no server listens there
  const config = { broker, directory: { ldif: "directory.ldif" }, hosts: { box: ["event", "siren"] } };
  writeFileSync(join(folder, "trigger.config.ts"), `export default ${JSON.stringify(config)};\n`);
  mkdirSync(join(folder, "services"));
  const service = 'import { service, z } from "trigger";\nexport default service(z.object({}), async () => {});\n';
  writeFileSync(join(folder, "services/siren.ts"), service);

  for (const [words, end] of [
    [["hold", "siren"], "is RabbitMQ running, and listening there?; give it on box, or on the host itself"],
    [["send", "siren", "{}"], "is RabbitMQ running, and listening there?"],
    [["verify"], "give it on box, or on the host itself"],
  ] as const) {
    let said = "";
    const write = (text: string): void => {
      said += text;
    };
    const brokerPassword = "secret";
    const terminal = { folder, colour: false, signal: t.signal, brokerPassword, out: write, err: write };
    assert.equal(await main(words, terminal), 2);
    assert.match(said, /^(box: unreached|trigger (send|verify)): .*ECONNREFUSED/);
    assert.ok(said.endsWith(`${end}\n`), said);
    assert.equal(said.split("\n").length, 2, said);
  }
});
