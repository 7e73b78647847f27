/** The levels of health, worst last. The level of the network is the exit code of `trigger status`. */
export const levels = { well: 0, late: 1, failing: 2 } as const;
export type Level = (typeof levels)[keyof typeof levels];

/** The health of a service, a transcriber or a host. */
export interface Health {
  readonly level: Level;
  /** The state in a few words: "held", "3 parked". */
  readonly state: string;
  /** The reason. */
  readonly why?: string | undefined;
  /** The beginning of the state, in milliseconds since 1970; undefined if it is not known. */
  readonly since?: number | undefined;
  /** The commands that a person types, or another remedy. */
  readonly remedy?: string | undefined;
}

/** The age from which a report counts as missing, in milliseconds. */
export const reportTimeout = 3 * 60_000;

/** The worst of these levels; well if there are none. */
export const worst = (all: readonly Level[]): Level =>
  all.reduce((worst: Level, level) => (level > worst ? level : worst), levels.well);
