import { createConnection } from "node:net";
import type { Output, Socket } from "../core/service/host-api.ts";
import { Away } from "../core/util/errors.ts";
import type { RunOptions } from "../ports/machine.ts";

/** The longest answer, in bytes. */
const answerLimit = 256 << 20;

/**
 * Writes to a daemon's unix socket and returns the answer until the daemon closes it; throws `Away` if no daemon listens.
 */
export async function askSocket(
  { socket: path }: Socket,
  { input = "", signal, deadline }: RunOptions,
): Promise<Output> {
  signal?.throwIfAborted();
  const connection = createConnection(path);
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
