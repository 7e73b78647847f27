import type { z } from "zod";

/** The most mistakes that are named: a list of a hundred thousand may have one in each element. */
const most = 10;

/** The mistakes in the body of a message, in one line. */
export function wrongBody({ issues }: z.ZodError, whole = "the body"): string {
  const said = issues.slice(0, most).map(({ path, message }) => `${path.join(".") || whole}: ${message}`);
  return [...said, ...(issues.length > most ? [`and ${issues.length - most} more`] : [])].join("; ");
}
