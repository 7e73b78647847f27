import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer, connect as dial } from "node:net";
import { test } from "node:test";
import { createServer as createTlsServer } from "node:tls";
import { certificates } from "../../../test/servers/certificates.ts";
import { follow } from "../../../test/servers/follow.ts";
import { baseLdif, type SlapdOptions, startSlapd } from "../../../test/servers/slapd.ts";
import { systemClock } from "../../daemon/clock.ts";
import { ldapSource } from "./source.ts";

// The trouble about a limit of slapd names the missing line; with that line all is read.

const top = "dc=campus,dc=example";
const reader = { bindDn: `cn=reader,${top}`, password: "a word" };
const readerLdif = `dn: ${reader.bindDn}\nobjectClass: person\ncn: reader\nsn: reader\nuserPassword: ${reader.password}\n\n`;
const access = ["to attrs=userPassword by * auth", "to * by * read"];
const options = (url: string) => ({ url, base: top, clock: systemClock, log: () => {}, ...reader });

const devices = (count: number, description: string): string =>
  Array.from(
    { length: count },
    (_, n) => `dn: cn=d${n},${top}\nobjectClass: device\ncn: d${n}\ndescription: ${description}\n\n`,
  ).join("");

/** A way to a server on which the answers rest, once, in the middle of the first that are many. */
async function restingWay(to: number, milliseconds: number) {
  const server = createServer((client) => {
    const upstream = dial(to, "127.0.0.1");
    let bytes = 0;
    client.on("data", (chunk) => void upstream.write(chunk)).on("error", () => upstream.destroy());
    upstream.on("error", () => client.destroy()).on("close", () => client.destroy());
    client.on("close", () => upstream.destroy());
    upstream.on("data", (chunk) => {
      client.write(chunk);
      const pauses = bytes < 65_536 && bytes + chunk.length >= 65_536;
      bytes += chunk.length;
      if (!pauses) return;
      upstream.pause();
      setTimeout(() => upstream.resume(), milliseconds);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return {
    url: `ldap://127.0.0.1:${typeof address === "object" && address ? address.port : 0}`,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}

for (const { name, limit, count, size, rest } of [
  { name: "4 sizeLimitExceeded", limit: [], count: 600, size: 1, rest: 0 },
  {
    name: "11 adminLimitExceeded",
    limit: ["sizelimit size=unlimited size.unchecked=100"],
    count: 600,
    size: 1,
    rest: 0,
  },
  // Full seconds count: the answers pause for longer than the limit, and are larger than the buffers of the sockets.
  { name: "3 timeLimitExceeded", limit: ["sizelimit unlimited", "timelimit 1"], count: 1500, size: 10_000, rest: 2500 },
]) {
  test(`result ${name} names the line that slapd needs, which lets all be read`, async () => {
    const server: SlapdOptions = { ldif: `${baseLdif}\n${readerLdif}${devices(count, "x".repeat(size))}`, access };
    let line: string;
    {
      await using limited = await startSlapd({ ...server, database: limit });
      await using way = await restingWay(limited.port, rest);
      await using follower = follow(ldapSource(options(way.url)));
      const { why } = await follower.trouble();
      assert.equal(follower.mirror.size, 0);
      assert.ok(why.includes(`result ${name}`), why);
      assert.ok(!why.includes(reader.password));
      line = /slapd needs: (limits dn\.exact="[^"]*"[^,]*)/.exec(why)?.[1] ?? assert.fail(why);
    }
    await using open = await startSlapd({ ...server, database: [...limit, line] });
    await using way = await restingWay(open.port, rest);
    await using follower = follow(ldapSource(options(way.url)));
    assert.equal((await follower.refresh()).entries.length, count + 2);
  });
}

test("a certificate of an unknown authority is reported with the option to set", async () => {
  using files = certificates();
  const { cert, key } = files.sign("server");
  const server = createTlsServer({ cert: readFileSync(cert), key: readFileSync(key) });
  server.on("tlsClientError", () => {});
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const { port } = server.address() as { port: number };
    await using follower = follow(ldapSource(options(`ldaps://127.0.0.1:${port}`)));
    assert.match(
      (await follower.trouble()).why,
      /no connection: unable to verify the first certificate: name the authority .* directory\.ca/,
    );
  } finally {
    server.close();
  }
});
