import { randomUUID } from "node:crypto";
import { plainJson, shownLine } from "../core/util/shown.ts";

/** Numbers of the colours of a terminal (ECMA-48, SGR). */
const colours = { red: 31, green: 32, yellow: 33, cyan: 36 } as const;

/** A colour that a command may print in. */
export type Colour = keyof typeof colours;

/** The world of the command line: this process, or a test. Commands have a `Screen` of it. */
export interface Terminal {
  readonly folder: string;
  /** True if colours and live redrawing make sense: standard output is a terminal and NO_COLOR is not set. */
  readonly colour: boolean;
  readonly signal: AbortSignal;
  /** TRIGGER_BROKER_PASSWORD of the environment. */
  readonly brokerPassword?: string | undefined;
  /** SUDO_USER of the environment: the person behind a command of root. */
  readonly sudoUser?: string | undefined;
  out(text: string): void;
  err(text: string): void;
}

/** The surroundings of a command. Hidden characters of its output are made visible, and a newline within a line is escaped. */
export interface Screen extends Pick<Terminal, "folder" | "signal" | "brokerPassword" | "sudoUser"> {
  /** Prints one line. */
  say(line: string): void;
  lines(lines: readonly string[]): void;
  json(value: unknown): void;
  /** Prints one line to standard error. */
  warn(line: string): void;
  /** A piece of a line in a colour; without it on a terminal without colours. */
  paint(colour: Colour, text: string): string;
}

/**
 * The only way of a command to the terminal, line by line. Each character that would end the line, steer the terminal or be invisible is escaped.
 * A colour is put in at the very end, in the place of a mark that no text can hold by chance or by intent.
 */
export function screenOf(terminal: Terminal): Screen {
  const mark = randomUUID();
  const marked = new RegExp(`${mark}:(\\d+);`, "g");
  const visible = (line: string): string => `${shownLine(line).replace(marked, "\u001b[$1m")}\n`;
  return {
    folder: terminal.folder,
    signal: terminal.signal,
    brokerPassword: terminal.brokerPassword,
    sudoUser: terminal.sudoUser,
    say: (line) => terminal.out(visible(line)),
    lines: (lines) => terminal.out(lines.map(visible).join("")),
    json: (value) => terminal.out(`${plainJson(value)}\n`),
    warn: (line) => terminal.err(visible(line)),
    paint: (colour, text) => (terminal.colour ? `${mark}:${colours[colour]};${text}${mark}:0;` : text),
  };
}

/** The lines of a record of the log; from the second on they are indented, so that none looks like a record of its own. */
export const recordLines = (record: string): string[] =>
  record
    .trimEnd()
    .split("\n")
    .map((line, index) => (index === 0 ? line : `  ${line}`));
