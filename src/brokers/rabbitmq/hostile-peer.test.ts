import assert from "node:assert/strict";
import { createServer } from "node:net";
import { test } from "node:test";
import { until } from "../../../test/until.ts";
import { openConnection } from "./connection.ts";
import { readAddress } from "./credentials.ts";

const huge = Buffer.from([1, 0, 0, 0xff, 0xff, 0xff, 0xff]);
for (const [name, said] of [
  ["garbage", Buffer.alloc(100_000, 0x55)],
  ["another protocol", Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n")],
  ["a frame of another version", Buffer.from("AMQP\0\0\x09\x01")],
  ["half a frame of 4 GB", huge],
  ["an unknown method", Buffer.from([1, 0, 0, 0, 0, 0, 4, 0xff, 0xff, 0xff, 0xff, 0xce])],
] as const) {
  test(`a peer that sends ${name} and ends is an error`, { timeout: 15_000 }, async () => {
    const server = createServer((socket) => {
      socket.on("error", () => {}).once("data", () => socket.end(said));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    const target = readAddress({ url: `amqp://u:s3cret@127.0.0.1:${port}` });
    try {
      await assert.rejects(
        openConnection(target, "consumes", 10, () => {}),
        (error: Error) => error.message !== "" && !/s3cret/.test(error.message),
      );
    } finally {
      server.close();
    }
  });
}

test("a peer that sends single bytes is given up after ten seconds", { timeout: 30_000 }, async () => {
  let closed = false;
  const server = createServer((socket) => {
    const timer = setInterval(() => socket.write(Buffer.from([1])), 200);
    socket
      .on("error", () => {})
      .on("close", () => {
        clearInterval(timer);
        closed = true;
      });
    socket.once("data", () => socket.write(Buffer.from([1, 0, 0, 0, 0, 0xff, 0xff]))).resume();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  const target = readAddress({ url: `amqp://u:s3cret@127.0.0.1:${port}` });
  try {
    await assert.rejects(
      openConnection(target, "consumes", 10, () => {}),
      /^Error: no connection within 10 s$/,
    );
    await until(() => closed);
  } finally {
    server.close();
  }
});
