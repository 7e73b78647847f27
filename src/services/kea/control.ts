import { z } from "zod";
import type { Host } from "../../core/service/host-api.ts";
import { Away } from "../../core/util/errors.ts";

/** The control socket of Kea: JSON commands, one to a connection. */

/** An answer of Kea. */
export interface Answer {
  /** The result: 0 done, 1 failed, 2 no such command, 3 done and nothing found. */
  readonly result: number;
  readonly text: string;
  readonly arguments?: unknown;
}

export interface Control {
  /** Sends a command that only reads, also on a dry machine. */
  ask(command: string, given?: object): Promise<Answer>;
  /** Sends a command that changes something. A dry machine only notes it, and answers with success. */
  tell(command: string, given?: object, shown?: readonly string[]): Promise<Answer>;
}

/** The longest wait for a sign of a listening Kea, in milliseconds. */
const shortDeadline = 5000;
/**
 * The deadline of a command with the whole configuration, in milliseconds: 30,000 reservations take about a second, and
 * Kea was seen to listen before.
 */
const longDeadline = 60_000;

const answer = z.object({ result: z.int(), text: z.string().default(""), arguments: z.unknown().optional() });

export function control(host: Host, socket: string): Control {
  const send = async (
    word: "ask" | "tell",
    command: string,
    given?: object,
    shown: readonly string[] = [],
  ): Promise<Answer> => {
    const input = JSON.stringify({ command, ...(given && { arguments: given }) });
    const deadline = command.startsWith("config-") ? longDeadline : shortDeadline;
    const { stdout } = await host[word]({ socket }, { input, deadline, shown: [command, ...shown] });
    if (stdout === "" && word === "tell") return { result: 0, text: "" };
    return read(command, socket, stdout);
  };
  return {
    ask: (command, given) => send("ask", command, given),
    tell: (command, given, shown) => send("tell", command, given, shown),
  };
}

/** Throws Kea's message, unless the command succeeded. */
export function done(command: string, { result, text }: Answer): void {
  if (result !== 0) throw new Error(`Kea's ${command}: ${text}`);
}

function read(command: string, socket: string, said: string): Answer {
  let value: unknown;
  try {
    value = JSON.parse(said);
  } catch (cause) {
    throw new Away(`${socket}: an incomplete answer to ${command} (${said.length} characters)`, { cause }); // Kea ended while it wrote
  }
  const found = answer.safeParse(Array.isArray(value) ? value[0] : value); // the Control Agent answers with a list
  if (!found.success) throw new Error(`${socket} does not answer as Kea does: ${said.slice(0, 200)}`);
  return found.data;
}
