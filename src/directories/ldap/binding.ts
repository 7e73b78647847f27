import { attributeName } from "../../core/directory/attributes.ts";
import { parseDn } from "../../core/directory/dn.ts";
import type { Attributes, Value } from "../../core/directory/entry.ts";
import { reason, UserError } from "../../core/util/errors.ts";
import type { Clock } from "../../ports/clock.ts";
import { type Change, changeRequest } from "./change-requests.ts";
import { type Access, connect } from "./connection.ts";
import { entryReader, type FoundEntry } from "./entry.ts";
import { type MessageReader, messageReader } from "./message-reader.ts";
import { equals, search } from "./requests.ts";
import { ResultError, readResult, refuseAnswer } from "./result.ts";
import { sayTrouble } from "./trouble.ts";
import { assertCsn, entriesRead, readAfter, readBefore } from "./write-controls.ts";

/**
 * The result of a write: the attributes before (null for an addition) and after (null for a deletion), entryDN and
 * entryUUID among them.
 */
export interface Written {
  readonly before: Attributes | null;
  readonly after: Attributes | null;
  readonly uuid: string;
  /** The CSN of the entry after the write; for a deletion, its last one. */
  readonly csn: string;
}

export interface WriteOptions {
  /** The entryCSN that the writer has read. If the entry has changed since, nothing is written. */
  readonly read?: string;
}

/** A connection that writes to an LDAP server, and returns the exact result of each write. */
export interface Binding {
  /** The entry of a DN, with its operational attributes; undefined if there is none. */
  read(dn: string): Promise<FoundEntry | undefined>;
  /** Makes a change. Throws a `UserError`, without any write, if the server refuses it. */
  write(change: Change, options?: WriteOptions): Promise<Written>;
  close(): void;
}

export interface BindingOptions extends Access {
  readonly base: string;
  /**
   * The attributes whose values no two entries may share. The overlay `unique` of slapd is safer: another writer can
   * come between this check and the write.
   */
  readonly unique?: readonly string[];
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Opens a connection to write through. Its requests are made one after the other. */
export async function openBinding(options: BindingOptions): Promise<Binding> {
  const { base, unique = [], clock, signal } = options;
  const connection = await connect(options, clock, signal).catch((error) => {
    throw new UserError(sayTrouble(error, options));
  });
  const messages = messageReader(connection);
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const done = last.then(work);
    last = done.catch(() => {}); // its own caller gets the error
    return done;
  };

  async function find(request: Parameters<typeof search>[0]): Promise<FoundEntry[]> {
    const { entries } = await messages.answersTo(connection.send(search(request)));
    return entries.map(({ body }) => entryReader()(body));
  }

  async function read(dn: string, attributes = ["*", "+"]): Promise<FoundEntry | undefined> {
    try {
      const [entry] = await find({ base: dn, scope: "base", attributes });
      return entry;
    } catch (error) {
      if (error instanceof ResultError && error.code === 32) return undefined;
      throw error;
    }
  }

  const mustBeUnique = new Set(unique.map(attributeName));
  async function checkUnique(change: Change): Promise<void> {
    for (const [attribute, value] of valuesOf(change)) {
      if (!mustBeUnique.has(attributeName(attribute))) continue;
      const filter = equals(attribute, value);
      const found = await find({ base, scope: "sub", filter, attributes: ["1.1"] });
      // The server itself says which entry the change is about: a twin of that is another one.
      const own = found.length === 0 ? undefined : await read(change.dn, ["1.1"]);
      const other = found.find(({ dn }) => dn !== own?.dn);
      if (other)
        throw new UserError(`${change.dn}: ${attribute} ${JSON.stringify(String(value))} belongs to ${other.dn}`);
    }
  }

  async function write(change: Change, { read: csn }: WriteOptions): Promise<Written> {
    await checkUnique(change);
    const { operation, answer } = changeRequest(change);
    const controls = [
      ...(change.kind === "add" ? [] : [readBefore]),
      ...(change.kind === "delete" ? [] : [readAfter]),
      ...(csn === undefined ? [] : [assertCsn(csn)]),
    ];
    const message = await answerTo(messages, connection.send(operation, controls), answer).catch((error) => {
      if (error instanceof ResultError) throw new UserError(`${change.dn}: ${sayRefusal(error)}`);
      throw new Error(`${change.dn}: the result of the write is not known`, { cause: error });
    });
    const { before, after } = entriesRead(message.controls);
    const newest = (after ?? before)?.attributes;
    const one = (name: string): string => String(newest?.get(name)?.[0] ?? "");
    const uuid = one("entryuuid").toLowerCase();
    return { before: before?.attributes ?? null, after: after?.attributes ?? null, uuid, csn: one("entrycsn") };
  }

  return {
    read: (dn) => inTurn(() => read(dn)),
    write: (change, writing = {}) => inTurn(() => write(change, writing)),
    close: () => connection.close(),
  };
}

/** The answer to a request; throws a `ResultError` if it is no success. */
async function answerTo(messages: MessageReader, id: number, operation: number) {
  for (;;) {
    const message = await messages.next();
    if (message.id !== id) continue;
    if (message.operation !== operation) refuseAnswer(message);
    readResult(message.body);
    return message;
  }
}

/** The values that a change adds to an entry. */
function valuesOf(change: Change): (readonly [attribute: string, value: Value])[] {
  switch (change.kind) {
    case "add":
      return [...change.attributes].flatMap(([attribute, values]) =>
        values.map((value) => [attribute, value] as const),
      );
    case "modify":
      return change.modifications.flatMap(({ kind, attribute, values }) =>
        kind === "delete" ? [] : values.map((value) => [attribute, value] as const),
      );
    case "rename":
      return parseDn(change.newRdn).flatMap((rdn) => rdn.map(({ attribute, value }) => [attribute, value] as const));
    case "delete":
      return [];
  }
}

const refusals: Readonly<Record<number, string>> = {
  12: "the server cannot report the result of a write (RFC 4527, RFC 4528), so nothing was written",
  32: "there is no such entry, or none above it",
  50: "this user may not write it",
  66: "there are entries below it",
  68: "there is such an entry already",
  122: "it has changed since it was read: read it again",
};

function sayRefusal(error: unknown): string {
  if (!(error instanceof ResultError)) return reason(error);
  const said = refusals[error.code] ?? "the server refuses it";
  return `${said} (result ${error.code}${error.message === "" ? "" : `: ${error.message}`})`;
}

/**
 * The body of the event about a write, for `trigger.event`: `[hash, before, after, additional]` (docs/protocol.md),
 * without passwords.
 */
export const eventOf = (hash: string, { before, after }: Written, additional: unknown = null): string =>
  JSON.stringify([hash, before && onTheWire(before), after && onTheWire(after), additional]);

const onTheWire = (attributes: Attributes): Record<string, unknown> =>
  Object.fromEntries(
    [...attributes]
      .filter(([name]) => !/password/.test(name)) // of no use to a reader of the change, hashed or not
      .map(([name, values]) => [
        wireNames.get(name) ?? name,
        values.map((value) => (typeof value === "string" ? value : { base64: Buffer.from(value).toString("base64") })),
      ]),
  );

const wireNames = new Map([
  ["entrydn", "entryDN"],
  ["entryuuid", "entryUUID"],
  ["entrycsn", "entryCSN"],
]);
