import { inspect } from "node:util";
import { unknown } from "../core/nearest.ts";
import { Refusal, reason, UserError } from "../core/outcome.ts";
import { shownLine } from "../core/shown.ts";
import { version } from "../core/version.ts";
import { BrokerTrouble } from "../ports/broker.ts";
import { check } from "./check.ts";
import { type Command, helpOf, readWords } from "./command.ts";
import { diff } from "./diff.ts";
import { downgrade } from "./downgrade.ts";
import { forecast } from "./forecast.ts";
import { forget } from "./forget.ts";
import { init } from "./init.ts";
import { key } from "./key.ts";
import { modify } from "./modify.ts";
import { adopt, approve, drop, hold, regen, retry } from "./order.ts";
import { permissions } from "./permissions.ts";
import { plan } from "./plan.ts";
import type { Terminal } from "./screen.ts";
import { recordLines, screenOf } from "./screen.ts";
import { seed } from "./seed.ts";
import { send } from "./send.ts";
import { status } from "./status.ts";
import { tryService } from "./try.ts";
import { up } from "./up.ts";
import { verify } from "./verify.ts";

const commands: readonly Command[] = [
  ...[init, check, up, status, diff, plan, tryService, forecast, send],
  ...[modify, seed, verify, regen, retry, drop, hold, approve, adopt, forget, permissions, key, downgrade],
];

const help = `trigger: the directory changes; every machine of the network follows.

Usage: trigger COMMAND [words] [options]

Commands
${commands.map(({ name, summary }) => `  ${name.padEnd(11)} ${summary}`).join("\n")}

\`trigger COMMAND --help\` says more of each; \`trigger --version\` (-V) prints the version of trigger and of Node.

Exit codes
  0  well
  1  late or held (status); something differs or is refused (plan, try), or is wrong (check)
  2  failing (status); the command could not be done
 64  the command was not understood
`;

/** Runs one command of the command line and gives its exit code. */
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
    const given = readWords(command, rest);
    if (given.flag("help")) {
      terminal.out(helpOf(command));
      return 0;
    }
    return await run(command, given, terminal);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    terminal.err(recordText(`trigger: ${error.message}`));
    return 64;
  }
}

async function run(command: Command, given: ReturnType<typeof readWords>, terminal: Terminal): Promise<number> {
  try {
    return await command.run(given, screenOf(terminal));
  } catch (error) {
    terminal.err(recordText(`trigger ${command.name}: ${said(error)}`));
    return 2;
  }
}

const recordText = (record: string): string =>
  recordLines(record)
    .map((line) => `${shownLine(line)}\n`)
    .join("");

/** What the system, the broker or an administrator's file is to blame for is one line; of a mistake in a program the place is what helps. */
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
