import type { Health } from "./health.ts";

const firstLine = (text: string): string => text.split("\n", 1)[0] ?? "";

/** The health in one line: the state, the reason, the beginning as `time` writes it, and what to type. */
export function sayHealth({ state, why, since, remedy }: Health, time: (at: number) => string): string {
  const because = why === undefined ? "" : `: ${firstLine(why)}`;
  const begin = since === undefined ? "" : why === undefined ? ` since ${time(since)}` : ` (since ${time(since)})`;
  if (remedy === undefined) return `${state}${because}${begin}`;
  return `${state}${because}${begin}${because + begin === "" ? ":" : ";"} ${remedy}`;
}
