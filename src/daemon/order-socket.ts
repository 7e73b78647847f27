import { closeSync, openSync, rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { dirname, join } from "node:path";
import { type OrderMessage, type Outcome, orderMessage, outcome } from "../core/stream/order.ts";
import { reason } from "../core/util/errors.ts";
import { readJson } from "../core/util/json.ts";
import { wrongBody } from "../core/util/wrong-body.ts";
import { askSocket } from "../machines/ask-socket.ts";
import { storeFile } from "./store-file.ts";

/**
 * The socket of a host, on which its own user gives orders without the broker. Each connection carries one order, a line
 * of JSON, and gets one outcome.
 */

/** The longest order or answer, in bytes. */
const longest = 512 * 1024;
/** The longest wait for an order or an answer, in milliseconds. */
const patience = 10_000;

const name = "orders.sock";

/** Serves a host's socket until the signal. Only the host's own user may connect: the mode is 0600. */
export async function serveOrders(
  state: string,
  host: string,
  obey: (order: OrderMessage) => Promise<Outcome>,
  signal: AbortSignal,
): Promise<void> {
  using folder = openFolder(state, host);
  rmSync(folder.path(name), { force: true }); // of a killed process: this one holds the host's lock
  /** The connections that have given no order yet. */
  const waiting = new Set<Socket>();
  const server = createServer((socket) => {
    socket.on("error", () => {}); // the person is gone
    waiting.add(socket);
    void converse(socket, (order) => {
      waiting.delete(socket);
      return obey(order);
    }).finally(() => waiting.delete(socket));
  });
  const closed = new Promise<void>((resolve, reject) => {
    server.on("close", resolve).on("error", reject);
  });
  const mask = process.umask(0o177); // the socket is private from the first moment on
  try {
    server.listen(folder.path(name));
  } finally {
    process.umask(mask);
  }
  const close = (): void => {
    server.close();
    for (const socket of waiting) socket.destroy();
  };
  if (signal.aborted) close();
  signal.addEventListener("abort", close, { once: true });
  await closed;
}

async function converse(socket: Socket, obey: (order: OrderMessage) => Promise<Outcome>): Promise<void> {
  try {
    const read = orderMessage.safeParse(readJson(await line(socket)));
    if (!read.success) throw new Error(wrongBody(read.error, "the order"));
    socket.write(`${JSON.stringify(await obey(read.data))}\n`);
  } catch (error) {
    const refusal: Outcome = { done: false, text: reason(error) };
    socket.write(`${JSON.stringify(refusal)}\n`);
  }
  socket.destroySoon(); // a person who keeps the connection does not keep the host from stopping
}

/** Gives a host of this machine an order. Throws an error if its process does not take it. */
export async function askHost(state: string, host: string, order: OrderMessage, signal: AbortSignal): Promise<Outcome> {
  const socket = join(dirname(storeFile(state, host)), name);
  try {
    const { stdout } = await askSocket(
      { socket },
      { input: `${JSON.stringify(order)}\n`, changes: true, signal, deadline: patience },
    );
    return outcome.parse(JSON.parse(stdout));
  } catch (error) {
    throw new Error(`the process of ${host} takes no order`, { cause: error });
  }
}

/** The first line that arrives. Throws if the other end closes, sends too much, or takes too long. */
function line(socket: Socket): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  return new Promise((resolve, reject) => {
    socket.setTimeout(patience, () => reject(new Error(`nothing within ${patience / 1000} s`)));
    socket.on("error", reject).on("close", () => reject(new Error("closed without a line")));
    socket.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      chunks.push(chunk);
      if (bytes > longest) reject(new Error(`more than ${longest} bytes`));
      else if (chunk.includes(0x0a)) resolve(Buffer.concat(chunks).subarray(0, Buffer.concat(chunks).indexOf(0x0a)));
    });
  });
}

/**
 * The folder of a host. A socket's path has at most 107 bytes (unix(7)), so it is named through the open folder
 * (proc_pid_fd(5)).
 */
function openFolder(state: string, host: string) {
  const folder = openSync(dirname(storeFile(state, host)), "r");
  return {
    path: (file: string): string => join("/proc/self/fd", `${folder}`, file),
    [Symbol.dispose]: () => closeSync(folder),
  };
}
