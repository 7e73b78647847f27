import type { z } from "zod";

/** A value of a column as it was written. Undefined of one that a damaged file made nonsense of: it comes again. */
export function readJson<T>(schema: z.ZodType<T>, text: unknown): T | undefined {
  if (typeof text !== "string") return undefined;
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined; // no JSON at all
  }
}
