import { inspect } from "node:util";
import { Refusal, reason, UserError } from "../core/util/errors.ts";
import { unknown } from "../core/util/nearest.ts";
import { shownLine } from "../core/util/shown.ts";
import { version } from "../core/util/version.ts";
import { BrokerTrouble } from "../ports/broker.ts";
import { type Command, helpOf, readWords } from "./command.ts";
import { commands, help } from "./commands.ts";
import type { Terminal } from "./screen.ts";
import { recordLines, screenOf } from "./screen.ts";

/** Runs one command of the command line and returns its exit code. */
export async function main(words: readonly string[], terminal: Terminal): Promise<number> {
  const [name, ...rest] = words;
  try {
    if (name === undefined || name === "help" || name === "--help" || name === "-h") {
      terminal.out(help);
      return name === undefined ? 64 : 0;
    }
    if (name === "--version" || name === "-V") {
      terminal.out(`trigger ${version} (Node ${process.versions.node})\n`);
      return 0;
    }
    const command = commands.find((candidate) => candidate.name === name);
    if (!command) {
      throw new UserError(
        unknown(
          "command",
          name,
          commands.map((candidate) => candidate.name),
        ),
      );
    }
    const args = readWords(command, rest);
    if (args.flag("help")) {
      terminal.out(helpOf(command));
      return 0;
    }
    return await run(command, args, terminal);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    terminal.err(recordText(`trigger: ${error.message}`));
    return 64;
  }
}

async function run(command: Command, args: ReturnType<typeof readWords>, terminal: Terminal): Promise<number> {
  try {
    return await command.run(args, screenOf(terminal));
  } catch (error) {
    terminal.err(recordText(`trigger ${command.name}: ${said(error)}`));
    return 2;
  }
}

const recordText = (record: string): string =>
  recordLines(record)
    .map((line) => `${shownLine(line)}\n`)
    .join("");

/** An error for people: one line if the system, the broker or a file caused it; a mistake in a program with its place. */
function said(error: unknown): string {
  return isPlain(error) ? reason(error) : inspect(error);
}

const isPlain = (error: unknown): boolean =>
  error instanceof Error &&
  (error instanceof UserError ||
    error instanceof Refusal ||
    error instanceof BrokerTrouble ||
    "code" in error ||
    isPlain(error.cause));
