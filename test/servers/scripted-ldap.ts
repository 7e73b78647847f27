import { createServer, type Socket } from "node:net";
import type { BerWriter } from "ldapts";
import { readHead } from "../../src/core/util/ber.ts";
import { type RequestControl, request } from "../../src/directories/ldap/requests.ts";

/**
 * A server that answers each request of a connection by a function of the test. The function receives the request's
 * number, from 1; for an empty answer the server sends nothing.
 */
export async function scriptedLdap(answer: (id: number, asked: Buffer) => readonly Buffer[]) {
  const open = new Set<Socket>();
  const asked: Buffer[] = [];
  const server = createServer((socket) => {
    let requests = 0;
    let rest = Buffer.alloc(0);
    open.add(socket);
    socket.setNoDelay(true);
    socket.on("error", () => {});
    socket.on("close", () => open.delete(socket));
    socket.on("data", (bytes) => {
      rest = Buffer.concat([rest, bytes]);
      for (let size = sizeOf(rest); size <= rest.length; size = sizeOf(rest)) {
        const one = rest.subarray(0, size);
        rest = rest.subarray(size);
        asked.push(one);
        requests += 1;
        for (const message of answer(requests, one)) socket.write(message);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return {
    url: `ldap://127.0.0.1:${typeof address === "object" && address ? address.port : 0}`,
    asked,
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** The length of the request at the beginning of the bytes; infinite while it is unknown. */
function sizeOf(bytes: Buffer): number {
  const head = readHead(bytes, 0, bytes.length);
  return head ? head.start + head.length : Number.POSITIVE_INFINITY;
}

/** An answer with a result, of the operation with a tag (RFC 4511, 4.1.9). */
export const resultOf = (id: number, tag: number, code = 0, text = ""): Buffer =>
  request(id, (writer) => {
    writer.startSequence(tag);
    writer.writeEnumeration(code);
    writer.writeString("");
    writer.writeString(text);
    writer.endSequence();
  });

/** A search result entry. */
export const entryFound = (
  id: number,
  dn: string,
  attributes: Readonly<Record<string, readonly string[]>>,
  controls: readonly RequestControl[] = [],
): Buffer => request(id, (writer) => writeEntry(writer, dn, attributes), controls);

function writeEntry(writer: BerWriter, dn: string, attributes: Readonly<Record<string, readonly string[]>>): void {
  writer.startSequence(0x64);
  writer.writeString(dn);
  writer.startSequence();
  for (const [name, values] of Object.entries(attributes)) {
    writer.startSequence();
    writer.writeString(name);
    writer.startSequence(0x31);
    writer.writeStringArray([...values]);
    writer.endSequence();
    writer.endSequence();
  }
  writer.endSequence();
  writer.endSequence();
}
