import { sayNamesakes } from "../core/directory/namesakes.ts";

/** The most names of which the entries are remembered and reported. */
const most = 20;

/** The entries that may have one name, as a transcriber reports them. */
export interface NamesakeLog {
  /** A sentence for each of the first such names. */
  readonly reported: readonly string[];
  /** Takes the DNs of the present namesakes. Returns a line of the log for those that were not there before. */
  take(all: Iterable<readonly string[]>): string[];
}

export function namesakeLog(): NamesakeLog {
  let reported: readonly string[] = [];
  return {
    get reported() {
      return reported;
    },
    take(all) {
      const before = new Set(reported);
      const now: string[] = [];
      for (const dns of all) {
        if (now.length === most) break;
        now.push(sayNamesakes(dns));
      }
      reported = now;
      return now.flatMap((line) => (before.has(line) ? [] : [`the directory: ${line}`]));
    },
  };
}
