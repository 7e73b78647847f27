import { parseArgs } from "node:util";
import { UserError } from "../core/util/errors.ts";
import { unknown } from "../core/util/nearest.ts";
import type { Screen } from "./screen.ts";

/** An option of a command. */
interface Option {
  readonly type: "string" | "boolean";
  readonly short?: string;
  /** The name of the option's value in the help. */
  readonly value?: string;
  /** The effect of the option. */
  readonly help: string;
}

/** A command: one file per command, its options as data. */
export interface Command {
  readonly name: string;
  /** A line for the list of commands. */
  readonly summary: string;
  /** The words after the name. */
  readonly operands: readonly string[];
  readonly options: { readonly [name: string]: Option };
  /** The rest of the command's own help: exit codes, examples. */
  readonly more?: string;
  /** Runs the command and returns its exit code. */
  run(args: Arguments, screen: Screen): Promise<number>;
}

/** The words that a command was called with. */
export interface Arguments {
  readonly operands: readonly string[];
  text(option: string): string | undefined;
  flag(option: string): boolean;
}

/** The option of nearly every command. */
export const projectOption = {
  project: { type: "string", short: "p", value: "FOLDER", help: "the folder of trigger.config.ts (the current one)" },
} as const satisfies Command["options"];

/** Reads the words after a command's name. Throws a `UserError` with the usage for words that the command does not have. */
export function readWords(command: Command, words: readonly string[]): Arguments {
  const options = { ...command.options, help: { type: "boolean", short: "h", help: "" } as const };
  const parsed = parse(command, words, options);
  const least = command.operands.filter((operand) => !operand.startsWith("[")).length;
  const anyNumber = command.operands.some((operand) => operand.includes("…"));
  const tooMany = !anyNumber && parsed.positionals.length > command.operands.length;
  if (!parsed.values.help && (parsed.positionals.length < least || tooMany)) {
    throw new UserError(`${tooMany ? "too many operands" : "an operand is missing"}: ${usageOf(command)}`);
  }
  return {
    operands: parsed.positionals,
    text: (option) => (typeof parsed.values[option] === "string" ? parsed.values[option] : undefined),
    flag: (option) => parsed.values[option] === true,
  };
}

/** The usage of a command in one line. */
export const usageOf = ({ name, operands, options }: Command): string =>
  ["trigger", name, ...operands, Object.keys(options).length > 0 ? "[options]" : ""].join(" ").trim();

/** The help of a command. */
export function helpOf(command: Command): string {
  const options = Object.entries(command.options).map(([name, { short, value, help }]) => {
    const words = `${short ? `-${short}, ` : "    "}--${name}${value ? ` ${value}` : ""}`;
    return `  ${words.padEnd(26)} ${help}`;
  });
  const parts = [`${usageOf(command)}\n\n${command.summary}.`];
  if (options.length > 0) parts.push(`Options\n${options.join("\n")}`);
  if (command.more) parts.push(command.more.trim());
  return `${parts.join("\n\n")}\n`;
}

function parse(command: Command, words: readonly string[], options: Command["options"]) {
  const spec = Object.fromEntries(
    Object.entries(options).map(([name, { type, short }]) => [name, short ? { type, short } : { type }]),
  );
  try {
    return parseArgs({ args: [...words], options: spec, allowPositionals: true, strict: true });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const word = message.match(/'(--?[^'\s]+)/)?.[1] ?? "";
    if (code === "ERR_PARSE_ARGS_UNKNOWN_OPTION") {
      throw new UserError(
        unknown(
          `option of trigger ${command.name}`,
          word,
          Object.keys(options).map((name) => `--${name}`),
        ),
      );
    }
    throw new UserError(`${message.split(".")[0]}: ${usageOf(command)}`);
  }
}
