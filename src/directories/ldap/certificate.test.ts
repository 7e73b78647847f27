import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { resultOf } from "../../../test/servers/scripted-ldap.ts";
import { tlsServer, wrongCertificates } from "../../../test/servers/tls-names.ts";
import { systemClock } from "../../daemon/clock.ts";
import { type Access, connect } from "./connection.ts";
import { sayTrouble } from "./trouble.ts";

const files = wrongCertificates();
test.after(() => files[Symbol.dispose]());

for (const startTls of [false, true]) {
  const kind = startTls ? "StartTLS" : "ldaps";
  const serve = (certificate: typeof files.right) =>
    tlsServer(certificate, startTls ? () => resultOf(1, 0x78) : undefined);
  const accessOf = (port: number, ca: string): Access => ({
    url: `${startTls ? "ldap" : "ldaps"}://localhost:${port}`,
    ...{ startTls, ca: readFileSync(ca, "utf8") },
  });

  test(`${kind}: an alternative name of the certificate is enough`, async () => {
    await using server = await serve(files.right);
    const connection = await connect(accessOf(server.port, files.right.ca), systemClock, new AbortController().signal);
    connection.close();
  });

  for (const { name, certificate, remedy } of files.wrong) {
    test(`${kind}: ${name} is refused with its own remedy, before the password`, async () => {
      await using server = await serve(certificate);
      const access = { ...accessOf(server.port, certificate.ca), bindDn: "cn=reader", password: "s3cret" };
      const refused = connect(access, systemClock, new AbortController().signal);
      await assert.rejects(refused, (error) => {
        assert.match(sayTrouble(error, { ...access, base: "dc=a" }), remedy);
        return true;
      });
      assert.equal(server.heard().length, 0);
    });
  }
}
