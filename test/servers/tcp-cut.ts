import { connect, createServer, type Socket } from "node:net";

/** A proxy for a port of this machine that cuts each connection after a number of bytes of answers. */
export interface Cut extends AsyncDisposable {
  readonly port: number;
  /** Cuts each connection after a number of bytes of answers; Infinity lets all through. */
  after: number;
  /** The number of connections that were cut. */
  readonly cuts: number;
  /** True while answers are swallowed. */
  silent: boolean;
  /** The bytes of answers that have gone through, in all connections. */
  readonly passed: number;
}

export async function cutTo(target: number): Promise<Cut> {
  const open = new Set<Socket>();
  const cut = { after: Number.POSITIVE_INFINITY, cuts: 0, silent: false, passed: 0 };
  const server = createServer((client) => {
    const upstream = connect(target, "127.0.0.1");
    let passed = 0;
    const end = (): void => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.on("error", end).on("close", () => {
        open.delete(socket);
        end();
      });
    }
    client.on("data", (chunk) => upstream.write(chunk));
    upstream.on("data", (chunk) => {
      if (cut.silent) return false;
      cut.passed += chunk.length;
      const room = cut.after - passed;
      passed += chunk.length;
      if (chunk.length < room) return client.write(chunk);
      cut.cuts += 1;
      return client.end(chunk.subarray(0, room));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return Object.assign(cut, {
    port: typeof address === "object" && address ? address.port : 0,
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}
