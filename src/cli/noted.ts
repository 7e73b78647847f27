import { createTwoFilesPatch } from "diff";
import { tooLongToDiff } from "../core/service/diff-limit.ts";
import type { Noted } from "../daemon/dry-run.ts";
import type { Colour, Screen } from "./screen.ts";

/** The changes of a dry run, in lines: files as unified diffs, then other changes of files, then commands. */
export function notedLines({ files, changes, commands }: Noted, secret: boolean, screen: Screen): string[] {
  return [
    ...files.flatMap(({ path, before, after }) =>
      secret ? `${path} would change; it has secrets and is not shown` : patch(path, before, after, screen),
    ),
    ...changes.map((change) => `would ${change}`),
    ...commands.flatMap(({ command, shown = [] }) => [
      "socket" in command ? `would tell ${command.socket}` : `would run: ${command.join(" ")}`,
      ...shown.slice(0, shownLimit).map((line) => `  ${line}`),
      ...(shown.length > shownLimit ? [`  … ${shown.length - shownLimit} more`] : []),
    ]),
  ];
}

/** The most lines of a command's changes that are shown. */
const shownLimit = 200;

function patch(path: string, before: string | undefined, after: string | undefined, screen: Screen): string[] {
  if ([before, after].some((text) => text !== undefined && tooLongToDiff(text)))
    return [`${path} would change; the difference is too long to be shown`];
  const was = before === undefined ? "/dev/null" : path;
  const is = after === undefined ? "/dev/null" : path;
  const text = createTwoFilesPatch(was, is, before ?? "", after ?? "", "", "", { context: 2 });
  return text
    .slice(text.indexOf("--- "))
    .trimEnd()
    .split("\n")
    .map((line) => coloured(line, screen));
}

function coloured(line: string, { paint }: Screen): string {
  const colours: Readonly<Record<string, Colour>> = { "+": "green", "-": "red", "@": "cyan" };
  const colour = colours[line[0] ?? ""];
  return colour ? paint(colour, line) : line;
}
