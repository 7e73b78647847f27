import { statSync } from "node:fs";
import { reason } from "../core/util/errors.ts";

/**
 * What files hold, read again when one of them is another one: they are looked at each time, so that whoever replaces one knows from
 * when on it counts. Throws what the first reading does; later a file that cannot be understood is said once, and what was read before it stays.
 */
export function fresh<T>(files: readonly string[], read: () => T, log: (line: string) => void): () => T {
  const stamps = (): string => files.map(stamp).join();
  // Before the reading: what is written meanwhile is read once more.
  let seen = stamps();
  let held = read();
  return () => {
    const now = stamps();
    if (now === seen) return held;
    seen = now;
    try {
      held = read();
    } catch (error) {
      log(`${reason(error)}; what was read before it is still used`);
    }
    return held;
  };
}

/** What changes with a file, its rights included. */
function stamp(file: string): string {
  try {
    const { dev, ino, size, ctimeNs } = statSync(file, { bigint: true });
    return [dev, ino, size, ctimeNs].join(":");
  } catch (error) {
    return reason(error); // the reading says it
  }
}
