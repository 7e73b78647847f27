import { sayNamesakes } from "../core/directory/namesakes.ts";

/** The most names of which the entries are remembered and reported. */
const most = 100;

/** The most entries of one name that are reported. */
const mostOfOne = 10;

/** The entries that may have one name, as a transcriber reports them. */
export interface NamesakeLog {
  /** For each of the first such names: the DNs of its first entries, the oldest first. */
  readonly reported: readonly (readonly string[])[];
  /** Takes the present namesakes. Returns a line of the log for those that were not there before. */
  take(all: Iterable<readonly string[]>): string[];
}

export function namesakeLog(): NamesakeLog {
  let reported: readonly (readonly string[])[] = [];
  let before: ReadonlySet<string> = new Set();
  return {
    get reported() {
      return reported;
    },
    take(all) {
      const first: (readonly string[])[] = [];
      for (const dns of all) {
        if (first.length === most) break;
        first.push(dns.slice(0, mostOfOne));
      }
      reported = first;
      const now = new Set(first.map(sayNamesakes));
      const lines = [...now].filter((line) => !before.has(line));
      before = now;
      return lines.map((line) => `the directory: ${line}`);
    },
  };
}
