import type { z } from "zod";

/** So many mistakes are said: of a list of a hundred thousand each may be one. */
const most = 10;

/** What is wrong with the body of a message, in one line. */
export function wrongBody({ issues }: z.ZodError, whole = "the body"): string {
  const said = issues.slice(0, most).map(({ path, message }) => `${path.join(".") || whole}: ${message}`);
  return [...said, ...(issues.length > most ? [`and ${issues.length - most} more`] : [])].join("; ");
}
