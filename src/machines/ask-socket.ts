import { createConnection } from "node:net";
import type { Output, Socket } from "../core/service/host-api.ts";
import { Away } from "../core/util/errors.ts";
import type { RunOptions } from "../ports/machine.ts";
import { closing, openFound } from "./open-found.ts";
import { O_PATH, walk } from "./walk.ts";

/** The longest answer, in bytes. */
const answerLimit = 256 << 20;

/**
 * Writes to a daemon's unix socket and returns the answer until the daemon closes it; throws `Away` if no daemon listens.
 * A symlink that other users may have put there is not followed: it could lead to the socket of another daemon.
 */
export async function askSocket({ socket: path }: Socket, options: RunOptions): Promise<Output> {
  options.signal?.throwIfAborted();
  const place = await walk(path, { last: "follow" });
  try {
    if (!place.stat) throw new Away(`${path}: no daemon answers`);
    // The opened socket is asked, wherever its name leads a moment later.
    const opened = await openFound(place, O_PATH);
    return await closing(opened, () => askOpened(path, `/proc/self/fd/${opened.fd}`, options));
  } finally {
    await place.close();
  }
}

/** Asks the socket `at`, which is `path` in messages. */
async function askOpened(path: string, at: string, { input = "", signal, deadline }: RunOptions): Promise<Output> {
  const connection = createConnection(at);
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    await new Promise<void>((resolve, reject) => {
      const away = (why: string, cause?: unknown): void =>
        reject(new Away(`${path}: ${why}`, cause === undefined ? {} : { cause }));
      connection.setTimeout(deadline, () => away(`no answer within ${deadline / 1000} s`));
      connection.on("error", (error: NodeJS.ErrnoException) => {
        if (error.code === "EACCES") reject(new Error(`${path}: not allowed to connect (EACCES)`, { cause: error }));
        else away("no daemon answers", error);
      });
      connection.on("data", (chunk: Buffer) => {
        chunks.push(chunk);
        bytes += chunk.length;
        if (bytes > answerLimit) reject(new Error(`${path}: an answer of more than ${answerLimit >> 20} MiB`));
      });
      connection.on("close", () => (bytes > 0 ? resolve() : away("closed without an answer")));
      signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
      // The socket stays open for writing: a daemon may take the end of the input for the end of the conversation.
      connection.write(input);
    });
  } finally {
    connection.destroy();
  }
  return { code: 0, stdout: Buffer.concat(chunks).toString(), stderr: "" };
}
