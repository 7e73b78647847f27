import { createServer, connect as dial, type Socket } from "node:net";

/** A way to RabbitMQ on which confirms get lost, while all else passes: a node that is cut off from its cluster looks so. */
export interface DeafProxy extends AsyncDisposable {
  readonly port: number;
  /** True while confirms get lost. */
  silent: boolean;
}

/** The bytes of a frame's head: type, channel and size of the payload (AMQP 0-9-1, 4.2.3). One byte ends the frame. */
const head = 7;
/** `basic.ack` and `basic.nack`, as a frame of type 1 has them behind its head: class and method. */
const confirms = [0x003c0050, 0x003c0078];

export async function silentProxy(to: number): Promise<DeafProxy> {
  const sockets = new Set<Socket>();
  const proxy = { silent: false };
  const server = createServer((client) => {
    const upstream = dial(to, "127.0.0.1");
    let held = Buffer.alloc(0);
    const end = (): void => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on("error", end).on("close", () => {
        sockets.delete(socket);
        end();
      });
    }
    client.on("data", (bytes) => void upstream.write(bytes));
    upstream.on("data", (bytes) => {
      held = Buffer.concat([held, bytes]);
      while (held.length >= head && held.length >= head + held.readUInt32BE(3) + 1) {
        const size = head + held.readUInt32BE(3) + 1;
        const frame = held.subarray(0, size);
        held = held.subarray(size);
        const isConfirm = frame[0] === 1 && confirms.includes(frame.readUInt32BE(head));
        if (!(proxy.silent && isConfirm)) client.write(frame);
      }
    });
  });
  await new Promise<void>((resolve, reject) => server.on("error", reject).listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return Object.assign(proxy, {
    port: typeof address === "object" && address ? address.port : 0,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}
