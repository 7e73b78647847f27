import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer, connect as dial } from "node:net";
import { test } from "node:test";
import { baseLdif, startSlapd } from "../../../test/servers/slapd.ts";
import { systemClock } from "../../daemon/clock.ts";
import { type Access, type Connection, connect, NoConnection } from "./connection.ts";

/** A proxy that records what clients send, as an attacker on the network could, and adds bytes of its own to the server's first answer. */
async function overheard(to: number, { at = "127.0.0.1", adds = Buffer.alloc(0) } = {}) {
  const heard: Buffer[] = [];
  const server = createServer((client) => {
    const upstream = dial(to, "127.0.0.1");
    client.on("data", (chunk) => heard.push(chunk));
    client.pipe(upstream);
    upstream.once("data", (first) => {
      client.write(Buffer.concat([first, adds]));
      upstream.pipe(client);
    });
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const)
      socket.on("error", () => other.destroy()).on("close", () => other.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, at, resolve));
  const address = server.address();
  const place = `${at}:${typeof address === "object" && address ? address.port : 0}`;
  return {
    ...{ url: `ldap://${place}`, ldapsUrl: `ldaps://${place}` },
    heard: () => Buffer.concat(heard),
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}

const open = (access: Access) => connect(access, systemClock, new AbortController().signal);

/** The error of a connection that must not come about. */
async function refusalOf(access: Access): Promise<NoConnection> {
  const opened = await open(access).catch((error: unknown) => error);
  if (opened instanceof NoConnection) return opened;
  (opened as Connection).close();
  return assert.fail("it was believed");
}

test("with StartTLS no password crosses the wire in clear", async () => {
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
    // Without StartTLS it is in the clear: an attacker here would see it.
    assert.equal(way.heard().includes(password), !access.startTls);
    assert.equal(way.heard().includes(bindDn), !access.startTls);
  }
});

test("a server with another name in its certificate gets no password", async () => {
  await using server = await startSlapd({ ldif: baseLdif, tls: true });
  const { adminDn: bindDn, password } = server;
  const ca = readFileSync(server.ca, "utf8");
  const tlsPort = Number(new URL(server.ldapsUrl.replace("ldaps:", "https:")).port);
  for (const { port, access, step } of [
    { port: server.port, access: { startTls: true }, step: "StartTLS" },
    { port: tlsPort, access: {}, step: "connect" },
  ]) {
    await using way = await overheard(port, { at: "127.0.0.2" });
    const url = step === "connect" ? way.ldapsUrl : way.url;
    const failed = await refusalOf({ url, bindDn, password, ca, ...access });
    assert.equal(failed.step, step);
    assert.match(String((failed.cause as Error).message), /altnames/);
  }
});

test("a piece of a message in the clear is forgotten when TLS begins", async () => {
  await using server = await startSlapd({ ldif: baseLdif, tls: true });
  const { adminDn: bindDn, password } = server;
  // The head of a message that is longer than all that follows: the bytes in TLS would be its body.
  await using way = await overheard(server.port, { adds: Buffer.from([0x30, 0x82, 0x40, 0x00]) });
  const ca = readFileSync(server.ca, "utf8");
  const connection = await open({ url: way.url, bindDn, password, startTls: true, ca });
  connection.close();
});

test("a message in the clear behind the answer to StartTLS ends the connection", async () => {
  await using server = await startSlapd({ ldif: baseLdif, tls: true });
  const { adminDn: bindDn, password } = server;
  // A bind that succeeded, as the server would say it (RFC 4511, 4.2.2).
  const bound = [0x30, 0x0c, 0x02, 0x01, 0x02, 0x61, 0x07, 0x0a, 0x01, 0x00, 0x04, 0x00, 0x04, 0x00];
  await using way = await overheard(server.port, { adds: Buffer.from(bound) });
  const ca = readFileSync(server.ca, "utf8");
  const failed = await refusalOf({ url: way.url, bindDn, password, startTls: true, ca });
  assert.equal(failed.step, "StartTLS");
});
