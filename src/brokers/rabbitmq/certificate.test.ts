import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { tlsServer, wrongCertificates } from "../../../test/servers/tls-names.ts";
import { until } from "../../../test/until.ts";
import { openConnection } from "./connection.ts";
import { readAddress } from "./credentials.ts";

const files = wrongCertificates();
test.after(() => files[Symbol.dispose]());

const open = (port: number, ca: string) => {
  const content = { ca: readFileSync(ca) };
  const target = readAddress({ url: `amqps://u@localhost:${port}`, password: "s3cret", files: () => content });
  return openConnection(target, "consumes", 10, () => {});
};

test("amqps: an alternative name of the certificate is enough", async () => {
  const server = await tlsServer(files.right);
  const opening = open(server.port, files.right.ca).catch(() => {});
  await until(() => server.heard().length > 0);
  assert.match(server.heard().toString("latin1"), /^AMQP/);
  await server[Symbol.asyncDispose]();
  await opening;
});

for (const { name, certificate, remedy } of files.wrong) {
  test(`amqps: ${name} is refused with its own remedy, before the password`, async () => {
    await using server = await tlsServer(certificate);
    await assert.rejects(open(server.port, certificate.ca), remedy);
    assert.equal(server.heard().length, 0);
  });
}
