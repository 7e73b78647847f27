/** Figures of repeated measurements, in milliseconds. */
export interface Figures {
  readonly median: number;
  readonly p99: number;
}

export function figures(samples: readonly number[]): Figures {
  const sorted = [...samples].sort((a, b) => a - b);
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  return { median: at(0.5), p99: at(0.99) };
}

/** Measures `work` again and again, after a few rounds that do not count. */
export async function measure(rounds: number, work: (round: number) => Promise<unknown> | unknown): Promise<Figures> {
  const samples: number[] = [];
  const warmUp = Math.min(20, rounds);
  for (let round = 0; round < warmUp + rounds; round++) {
    const start = performance.now();
    await work(round);
    if (round >= warmUp) samples.push(performance.now() - start);
  }
  return figures(samples);
}

export const shown = ({ median, p99 }: Figures): string =>
  `${median.toFixed(2).padStart(8)} ${p99.toFixed(2).padStart(9)}`;
