import { once } from "node:events";
import { createServer, type Socket } from "node:net";

/**
 * The part of Erlang's epmd for a node: it is told the node's port, and tells it the ports of others (Erlang
 * Distribution Protocol, EPMD).
 */
export interface NameServer extends AsyncDisposable {
  readonly port: number;
  /** The port of a node that has registered here. */
  portOf(name: string): number | undefined;
}

const requests = { alive: 120, port: 122, names: 110 } as const;
const answers = { alive: 118, port: 119 } as const;

/**
 * Starts one for a single node. `peer` may give other ports of its peers than the real ones, or undefined for an absent
 * one.
 */
export async function nameServer(peer: (name: string) => number | undefined): Promise<NameServer> {
  const here = new Map<string, number>();
  const sockets = new Set<Socket>();
  let creation = 3; // each start of a node has another one; numbers up to 3 belong to the old protocol

  function answer(socket: Socket, request: Buffer): void {
    const body = request.subarray(1);
    switch (request[0]) {
      case requests.alive: {
        const name = body.toString("utf8", 10, 10 + body.readUInt16BE(8));
        here.set(name, body.readUInt16BE(0));
        socket.on("close", () => here.delete(name)); // a node is here as long as its connection
        creation += 1;
        const [head, number] = [Buffer.from([answers.alive, 0]), Buffer.alloc(4)];
        number.writeUInt32BE(creation);
        return void socket.write(Buffer.concat([head, number]));
      }
      case requests.port: {
        const name = body.toString();
        const port = here.get(name) ?? peer(name);
        return void socket.end(port === undefined ? Buffer.from([answers.port, 1]) : portAnswer(name, port));
      }
      case requests.names: {
        const lines = [...here].map(([name, port]) => `name ${name} at port ${port}\n`);
        const own = Buffer.alloc(4);
        own.writeUInt32BE(port); // the client compares it with the port of the node that it means
        return void socket.end(Buffer.concat([own, Buffer.from(lines.join(""))]));
      }
      default:
        socket.destroy();
    }
  }

  const server = createServer((socket) => {
    sockets.add(socket);
    let read = Buffer.alloc(0);
    socket.on("data", (bytes) => {
      read = Buffer.concat([read, bytes]);
      if (read.length < 2 || read.length < 2 + read.readUInt16BE(0)) return;
      const request = read.subarray(2, 2 + read.readUInt16BE(0));
      read = read.subarray(2 + request.length);
      answer(socket, request);
    });
    socket.on("error", () => {}); // a node was killed
    socket.on("close", () => sockets.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address ? address.port : 0;
  return {
    port,
    portOf: (name) => here.get(name),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The answer for a visible node of the protocol versions 5 and 6, without further data. */
function portAnswer(name: string, port: number): Buffer {
  const head = Buffer.from([answers.port, 0, 0, 0, 77, 0, 0, 6, 0, 5, 0, 0]);
  head.writeUInt16BE(port, 2);
  head.writeUInt16BE(Buffer.byteLength(name), 10);
  return Buffer.concat([head, Buffer.from(name), Buffer.from([0, 0])]);
}
