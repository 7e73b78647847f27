import { z } from "zod";
import { attributeName } from "../core/attributes.ts";
import { reason } from "../core/outcome.ts";
import { readDn } from "./value-index.ts";

const value = z.union([z.string(), z.strictObject({ base64: z.base64() })]);
const attributes = z.record(z.string(), z.array(value)).nullable();
const event = z.tuple([z.string(), attributes, attributes, z.unknown()], "expected [hash, before, after, additional]");
const attribution = z.object({
  who: z.string().optional().catch(undefined),
  why: z.string().optional().catch(undefined),
});

/** What an event says of a change that the directory itself delivers: which entry, by whom and why. */
export interface Event {
  /** What the entry is known by: its entryUUID, and its normal DN before and after. */
  readonly names: readonly string[];
  readonly who: string | undefined;
  readonly why: string | undefined;
}

/** Reads the body of an event: a JSON array of four, `[hash, before, after, additional]` (docs/protocol.md). Throws an error that says what is wrong. */
export function readEvent(body: unknown): Event {
  const read = event.safeParse(body);
  if (!read.success) {
    const [issue] = read.error.issues;
    const names = ["hash", "before", "after", "additional"];
    const place = issue?.path.map((step) => (typeof step === "number" ? (names[step] ?? step) : step)).join(".");
    throw new Error(`not an event: ${place ? `${place}: ` : ""}${issue?.message ?? reason(read.error)}`);
  }
  const [, before, after, additional] = read.data;
  if (!before && !after) throw new Error("not an event: it has neither attributes before nor after");
  const names = [before, after].flatMap((said) => [
    ...textsOf(said, "entryUUID").map((uuid) => uuid.toLowerCase()),
    ...textsOf(said, "entryDN").flatMap((dn) => readDn(dn) ?? []),
  ]);
  if (names.length === 0) throw new Error("not an event: it has no entryDN (RFC 5020) and no entryUUID (RFC 4530)");
  const { who, why } = attribution.safeParse(additional).data ?? {};
  return { names: [...new Set(names)], who, why };
}

function textsOf(said: z.infer<typeof attributes>, attribute: string): string[] {
  const wanted = attributeName(attribute);
  return Object.entries(said ?? {})
    .filter(([name]) => attributeName(name) === wanted)
    .flatMap(([, values]) => values.filter((held) => typeof held === "string"));
}
