import { createServer, connect as dial, type Socket } from "node:net";

/** A cable between a client and a server of the loopback, which a test may cut, or stop without anybody being told. */
export interface TcpProxy extends AsyncDisposable {
  readonly port: number;
  /** Connections that are open now. */
  readonly open: number;
  /** Every connection is reset, on both sides; new ones are taken. */
  cut(): void;
  /** Passes nothing any more, on open and on new connections, without an error. */
  pause(): void;
  resume(): void;
}

export async function tcpProxy(to: number): Promise<TcpProxy> {
  const pairs = new Set<readonly [Socket, Socket]>();
  let paused = false;

  const resetting = new WeakSet<Socket>();
  const reset = (socket: Socket): void => {
    if (resetting.has(socket)) return;
    // One that has more to write, or is ending already, would wait with its reset, and Node would leave it open (below).
    if (socket.connecting || socket.writableEnded || socket.writableLength > 0) return void socket.destroy();
    resetting.add(socket);
    socket.resetAndDestroy();
  };
  /** Node leaves a socket open for ever, and then spins at its exit, when one is destroyed whose reset is under way. */
  const end = (socket: Socket): void => {
    if (!resetting.has(socket)) socket.destroy();
  };

  const server = createServer((client) => {
    const upstream = dial(to, "127.0.0.1");
    const pair = [client, upstream] as const;
    pairs.add(pair);
    for (const [from, into] of [pair, [upstream, client] as const]) {
      from.setNoDelay(true);
      from.on("data", (bytes) => void into.write(bytes));
      from.on("end", () => into.end());
      from.on("error", () => reset(into));
      from.on("close", () => {
        pairs.delete(pair);
        end(into);
      });
      if (paused) from.pause();
    }
  });
  await new Promise<void>((resolve, reject) => server.on("error", reject).listen(0, "127.0.0.1", resolve));
  const address = server.address();

  return {
    port: typeof address === "object" && address ? address.port : 0,
    get open() {
      return pairs.size;
    },
    cut() {
      for (const socket of [...pairs].flat()) reset(socket);
    },
    pause() {
      paused = true;
      for (const socket of [...pairs].flat()) socket.pause();
    },
    resume() {
      paused = false;
      for (const socket of [...pairs].flat()) socket.resume();
    },
    async [Symbol.asyncDispose]() {
      for (const socket of [...pairs].flat()) end(socket);
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
