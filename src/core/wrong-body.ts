import type { z } from "zod";

/** What is wrong with the body of a plain message, in one line. */
export const wrongBody = ({ issues }: z.ZodError): string =>
  issues.map(({ path, message }) => `${path.join(".") || "the body"}: ${message}`).join("; ");
