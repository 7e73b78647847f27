import type { Summary } from "./chaos.ts";

/** The results of a run, in lines. */
export function summaryLines(seed: number, summary: Summary): string[] {
  const { rounds, changes, faults, leftOut, approvals, ended, longest, differences, kept } = summary;
  return [
    `seed ${seed}: ${rounds} rounds, ${sum(changes)} changes, ${sum(faults)} faults, ${differences.length} divergences`,
    `longest time to convergence: ${(longest / 1000).toFixed(1)} s`,
    ...listed("changes", changes),
    ...listed("faults", faults),
    ...leftOut.map((what) => `left out: ${what}`),
    `held removals that were approved: ${approvals}`,
    ...ended.map((words) => `ended by itself, and was started again: ${words}`),
    ...differences,
    ...(kept === undefined ? [] : [`what everybody said is in ${kept}`]),
  ];
}

const sum = (counts: ReadonlyMap<string, number>): number =>
  [...counts.values()].reduce((one, other) => one + other, 0);

const listed = (what: string, counts: ReadonlyMap<string, number>): string[] => [
  `${what}:`,
  ...[...counts].sort(([, a], [, b]) => b - a).map(([kind, count]) => `  ${String(count).padStart(5)} ${kind}`),
];
