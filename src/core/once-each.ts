const hour = 60 * 60_000;
/** The most lines within an hour. */
const most = 100;

/**
 * Says each line once an hour, and at most a hundred lines an hour.
 * Thus neither a broken script nor a hostile host fills the log or the memory.
 * `monotonic` gives milliseconds that never go back.
 */
export function onceEach(log: (line: string) => void, monotonic: () => number): (line: string) => void {
  const said = new Set<string>();
  let since = Number.NEGATIVE_INFINITY;
  return (line) => {
    if (monotonic() - since >= hour) {
      since = monotonic();
      said.clear();
    }
    if (said.size > most || said.has(line)) return;
    log(
      said.size < most ? line : `more than ${most} different lines of this kind: the others are not said for an hour`,
    );
    said.add(line);
  };
}
