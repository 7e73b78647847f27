import type { z } from "zod";

/** The value in a column. Undefined if the file is damaged and the text unreadable: the value comes again. */
export function readJson<T>(schema: z.ZodType<T>, text: unknown): T | undefined {
  if (typeof text !== "string") return undefined;
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined; // the text is not JSON
  }
}
