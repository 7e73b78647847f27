import { statSync } from "node:fs";
import { reason } from "../core/util/errors.ts";

/**
 * The content of files, read again when one of them has changed. They are checked at each call, so a replacement counts at once.
 * The first reading may throw. Later a file that cannot be read is logged once, and the content read before stays in use.
 */
export function fresh<T>(files: readonly string[], read: () => T, log: (line: string) => void): () => T {
  const stamps = (): string => files.map(stamp).join();
  // Taken before the reading: a change meanwhile causes another reading.
  let seen = stamps();
  let held = read();
  return () => {
    const now = stamps();
    if (now === seen) return held;
    seen = now;
    try {
      held = read();
    } catch (error) {
      log(`${reason(error)}; the content read before stays in use`);
    }
    return held;
  };
}

/** A text that changes with a file or its rights. */
function stamp(file: string): string {
  try {
    const { dev, ino, size, ctimeNs } = statSync(file, { bigint: true });
    return [dev, ino, size, ctimeNs].join(":");
  } catch (error) {
    return reason(error); // the reading reports it
  }
}
