import { z } from "zod";
import { expected, options } from "./options.ts";

/**
 * The limits of one entry in one service. An entry that exceeds a number is refused, in the same way on every machine.
 * One that exceeds the time is not: its rows stay as they are.
 */
export interface EvaluationLimits {
  /** The most rows that `select` may give; 50,000 by default. */
  readonly rows?: number;
  /** The most bytes that these rows may have; 8 MiB by default. */
  readonly bytes?: number;
  /** The most entries and values that `select` may read; 10 million by default. */
  readonly looks?: number;
  /** The most names, values and dates that may be compared; a million by default. */
  readonly comparisons?: number;
  /** The most seconds that `select` may take, 0.1 to 3; 2 by default. */
  readonly seconds?: number;
}

export const evaluationDefaults: Required<EvaluationLimits> = {
  rows: 50_000,
  bytes: 8 * 1024 * 1024,
  looks: 10_000_000,
  comparisons: 1_000_000,
  seconds: 2,
};

const count = (of: string) => expected(`a number of ${of}, 1 or more`, z.int().min(1)).optional();

/** The schema of `evaluation`. No transcriber stays active if `select` stops it for longer than three seconds. */
export const evaluationSchema = options<EvaluationLimits>({
  rows: count("rows"),
  bytes: count("bytes"),
  looks: count("looks"),
  comparisons: count("comparisons"),
  seconds: expected("seconds, 0.1 to 3", z.number().min(0.1).max(3)).optional(),
});
