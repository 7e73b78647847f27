import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer, connect as dial } from "node:net";
import { test } from "node:test";
import { baseLdif, startSlapd } from "../../../test/servers/slapd.ts";
import { systemClock } from "../../daemon/clock.ts";
import { type Access, connect, NoConnection } from "./connection.ts";

/** A way to a server that keeps what its clients send, as somebody on the network could. */
async function overheard(to: number) {
  const heard: Buffer[] = [];
  const server = createServer((client) => {
    const upstream = dial(to, "127.0.0.1");
    client.on("data", (chunk) => heard.push(chunk));
    client.pipe(upstream).pipe(client);
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const)
      socket.on("error", () => other.destroy()).on("close", () => other.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return {
    url: `ldap://127.0.0.1:${typeof address === "object" && address ? address.port : 0}`,
    heard: () => Buffer.concat(heard),
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}

const open = (access: Access) => connect(access, systemClock, new AbortController().signal);

test("with StartTLS a password is never on the wire in the clear, whether the server offers it, is not to be trusted, or does not", async () => {
  await using offering = await startSlapd({ ldif: baseLdif, tls: true });
  await using bare = await startSlapd({ ldif: baseLdif });
  const { adminDn: bindDn, password } = offering;
  const ca = readFileSync(offering.ca, "utf8");
  for (const { server, access, failed } of [
    { server: offering, access: { startTls: true, ca }, failed: undefined },
    { server: offering, access: { startTls: true }, failed: "StartTLS" },
    { server: bare, access: { startTls: true, ca }, failed: "StartTLS" },
    { server: bare, access: {}, failed: undefined },
  ]) {
    await using way = await overheard(server.port);
    const connection = await open({ url: way.url, bindDn, password, ...access }).catch((error: unknown) => {
      assert.ok(error instanceof NoConnection);
      return error;
    });
    if (connection instanceof NoConnection) assert.equal(connection.step, failed);
    else {
      assert.equal(failed, undefined);
      connection.close();
    }
    // Without StartTLS it is: who listens here would see it.
    assert.equal(way.heard().includes(password), !access.startTls);
    assert.equal(way.heard().includes(bindDn), !access.startTls);
  }
});
