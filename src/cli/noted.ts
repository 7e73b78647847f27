import { createTwoFilesPatch } from "diff";
import type { Noted } from "../daemon/dry.ts";
import type { Terminal } from "./command.ts";

/** What a run would have changed, in lines: files as unified diffs, then what else would become of them, then commands. */
export function notedLines({ files, changes, commands }: Noted, secret: boolean, terminal: Terminal): string[] {
  return [
    ...files.map(({ path, before, after }) =>
      secret ? `${path} would change; it has secrets and is not shown` : patch(path, before, after, terminal),
    ),
    ...changes.map((change) => `would ${change}`),
    ...commands.flatMap(({ command, shown = [] }) => [
      "socket" in command ? `would tell ${command.socket}` : `would run: ${command.join(" ")}`,
      ...shown.slice(0, shownLimit).map((line) => `  ${line}`),
      ...(shown.length > shownLimit ? [`  … ${shown.length - shownLimit} more`] : []),
    ]),
  ];
}

/** Of what a command would change so many lines are shown. */
const shownLimit = 200;

function patch(path: string, before: string | undefined, after: string | undefined, { colour }: Terminal): string {
  const was = before === undefined ? "/dev/null" : path;
  const is = after === undefined ? "/dev/null" : path;
  const text = createTwoFilesPatch(was, is, before ?? "", after ?? "", "", "", { context: 2 });
  const lines = text.slice(text.indexOf("--- ")).split("\n");
  return (colour ? lines.map(coloured) : lines).join("\n").trimEnd();
}

function coloured(line: string): string {
  const colours: Readonly<Record<string, number>> = { "+": 32, "-": 31, "@": 36 };
  const colour = colours[line[0] ?? ""];
  return colour ? `\u001b[${colour}m${line}\u001b[0m` : line;
}
