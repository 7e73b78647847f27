import { isUtf8 } from "node:buffer";
import { z } from "zod";
import { reason } from "../util/errors.ts";
import { attributeName, isAttribute, isBinary } from "./attributes.ts";
import { normalDn } from "./dn.ts";
import type { Attributes, StoredEntry, Value } from "./entry.ts";
import { uuidOf } from "./identity.ts";

/** A change of the directory, as a binding publishes it. */
export interface DirectoryEvent {
  /** The publisher's id of the event. */
  readonly hash: string;
  /** The entry before the change; undefined for a new entry. */
  readonly before: StoredEntry | undefined;
  /** The entry after the change; undefined for a removed entry. */
  readonly after: StoredEntry | undefined;
  readonly who: string | undefined;
  readonly why: string | undefined;
}

const value = z.union([z.string(), z.strictObject({ base64: z.base64() })]);
const attributes = z.record(z.string(), z.array(value)).nullable();
const event = z.tuple(
  [z.string().min(1, "expected an id"), attributes, attributes, z.unknown()],
  "expected [hash, before, after, additional]",
);
const attribution = z.object({
  who: z.string().optional().catch(undefined),
  why: z.string().optional().catch(undefined),
});
const sides = ["hash", "before", "after", "additional"];

/**
 * Reads the body of an event: a JSON array of four, `[hash, before, after, additional]` (docs/protocol.md). Throws an
 * error that names the fault. If one side lacks entryDN or entryUUID, the other side supplies it. The entryDN becomes
 * the entry's name, and is not left among its attributes.
 */
export function readEvent(body: unknown): DirectoryEvent {
  const read = event.safeParse(body);
  if (!read.success) {
    const [issue] = read.error.issues;
    const place = issue?.path.map((step) => (typeof step === "number" ? (sides[step] ?? step) : step)).join(".");
    throw wrong(`${place ? `${place}: ` : ""}${issue?.message ?? reason(read.error)}`);
  }
  const [hash, saidBefore, saidAfter, additional] = read.data;
  if (!saidBefore && !saidAfter) throw wrong("it has neither attributes before nor after");
  const before = saidBefore && readAttributes("before", saidBefore);
  const after = saidAfter && readAttributes("after", saidAfter);
  const { who, why } = attribution.safeParse(additional).data ?? {};
  return {
    hash,
    before: before ? entryOf("before", before, after) : undefined,
    after: after ? entryOf("after", after, before) : undefined,
    who,
    why,
  };
}

const wrong = (what: string): Error => new Error(`not an event: ${what}`);

/** The entry of one side's attributes; the other side supplies its name if this one lacks it. */
function entryOf(side: string, said: Attributes, other: Attributes | null): StoredEntry {
  const [dn, second] = said.get("entrydn") ?? other?.get("entrydn") ?? [];
  if (dn === undefined) throw wrong("it has no entryDN (RFC 5020)");
  if (typeof dn !== "string" || second !== undefined) throw wrong(`${side}.entryDN: expected one text`);
  checkName(side, dn);
  const uuid = said.get("entryuuid") ?? other?.get("entryuuid");
  const identity = uuidOf(dn, new Map(uuid ? [["entryuuid", uuid]] : []));
  return { uuid: identity, dn, attributes: new Map([...said].filter(([name]) => name !== "entrydn")) };
}

function checkName(side: string, dn: string): void {
  try {
    if (normalDn(dn) !== "") return;
  } catch (cause) {
    throw wrong(`${side}.entryDN: ${reason(cause)}`);
  }
  throw wrong(`${side}.entryDN: expected the name of an entry, found ""`);
}

function readAttributes(side: string, said: Record<string, z.infer<typeof value>[]>): Attributes {
  const read = new Map<string, Value[]>();
  for (const [written, values] of Object.entries(said)) {
    if (!isAttribute(written))
      throw wrong(`${side}: ${JSON.stringify(written.slice(0, 80))} is not the name of an attribute`);
    if (values.length === 0) continue;
    const name = attributeName(written);
    // concat, because an array that is built by spreading reserves room for 16 more values.
    read.set(name, (read.get(name) ?? []).concat(values.map((held) => readValue(name, held))));
  }
  return read;
}

/** A value as the reader of LDIF files gives it: text if possible. The mirror may come from either source. */
function readValue(name: string, said: z.infer<typeof value>): Value {
  if (typeof said === "string") return isBinary(name) ? new Uint8Array(Buffer.from(said)) : said.toWellFormed();
  const bytes = Buffer.from(said.base64, "base64");
  return !isBinary(name) && isUtf8(bytes) ? bytes.toString() : new Uint8Array(bytes);
}
