import type { StoredEntry } from "../../core/directory/entry.ts";
import { computedIn } from "../../core/directory/requested-attributes.ts";
import { schemaOf } from "../../core/directory/schema.ts";
import type { DirectoryState } from "../../core/stream/messages.ts";
import type { Clock } from "../../ports/clock.ts";
import type { KnownEntry, SourceChange } from "../../ports/directory.ts";
import { type Access, type Connection, connect } from "./connection.ts";
import { Delivered } from "./delivered.ts";
import { entryReader } from "./entry.ts";
import type { LeftNames } from "./left-names.ts";
import { readLive } from "./live.ts";
import { type MessageReader, messageReader } from "./message-reader.ts";
import { ReadAgain } from "./read-again.ts";
import { readWhole } from "./refresh.ts";
import { search } from "./requests.ts";
import { readSchema } from "./schema.ts";
import { askServer, exportInstead, type Server } from "./server.ts";
import type { SubtreeParts } from "./subtree.ts";
import { attributesOf, sendSyncSearch, syncEntryReader, type Wanted } from "./sync-search.ts";
import { unreportedWrites } from "./unreported.ts";

export interface SessionOptions extends Access, Wanted {
  readonly clock: Clock;
  readonly log: (line: string) => void;
}

/**
 * The silence after which a server is probed, in milliseconds. A server that stays silent as long again counts as
 * lost.
 */
const beat = 30_000;

/** The interval between two comparisons of the mirror with the whole directory: a day, in milliseconds. */
const day = 24 * 60 * 60 * 1000;

/**
 * The state of a follower across its sessions: its known entries, the delivered entries, and the names of renamed and
 * deleted ones.
 */
export interface Following {
  readonly known?: KnownEntry | undefined;
  readonly past: { readonly left: LeftNames; delivered: Delivered };
}

/**
 * One session: delivers the whole content once, then every change. It ends when a refresh is requested, and throws when
 * the connection breaks.
 */
export async function* openSession(
  options: SessionOptions,
  mustBePlausible: (entries: readonly StoredEntry[]) => void,
  following: Following & { readonly signal: AbortSignal; readonly refreshRequested: AbortSignal },
): AsyncGenerator<SourceChange> {
  const { clock, log } = options;
  const { signal, refreshRequested, known, past } = following;
  const over = new AbortController();
  const connection = await connect(options, clock, signal);
  const endSession = (): void => connection.close(new ReadAgain("a refresh was requested"));
  refreshRequested.addEventListener("abort", endSession);
  if (refreshRequested.aborted) endSession();
  try {
    void keepAsking(connection, options.base, clock, over.signal);
    const messages = messageReader(connection);
    const server = await askServer(connection, messages, options.base);
    const wanted = { ...options, everything: server.everything };
    const parts = { connection, messages, wanted, server, read: syncEntryReader() };
    const { id, delivered, state, schema } = yield* deliverWhole(parts, options, mustBePlausible, following);
    const unreported = unreportedWrites({
      ...parts,
      delivered,
      schema,
      left: past.left,
      known,
      clock,
      signal: over.signal,
      log,
    });
    yield* readLive({ ...parts, id, delivered, unreported }, state);
  } finally {
    refreshRequested.removeEventListener("abort", endSession);
    over.abort();
    connection.close();
  }
}

const unknownRules = "names and values are compared by the standard schemas, which may not be the server's";

/** Reads and delivers the whole content, and keeps no reference to it, as a session lasts a day. */
async function* deliverWhole(
  parts: SubtreeParts & { readonly server: Server },
  { base, clock, log }: SessionOptions,
  mustBePlausible: (entries: readonly StoredEntry[]) => void,
  { known, past }: Following,
) {
  const { connection, messages, wanted, server, read } = parts;
  const started = clock.monotonic();
  const readState = (): Promise<DirectoryState> => contextCsn(connection, messages, base, server);
  // A server other than OpenLDAP has no contextCSN: that is detected before the whole content is read.
  if (!server.openLdap && server.product !== undefined) await readState();
  const shown = await readSchema(connection, messages, server.subschema);
  const schema = schemaOf(shown?.types ?? []);
  if (!shown) log(`the directory: ${server.subschema} cannot be read: ${unknownRules}`);
  const unseen = wanted.filter === undefined ? undefined : computedIn(wanted.filter, shown?.operational);
  if (unseen !== undefined) throw new Error(unseen);
  const id = sendSyncSearch(connection, wanted, base, "refreshAndPersist");
  const { entries, state: said } = await readWhole(messages, id, read, { log, known });
  mustBePlausible(entries);
  const delivered = new Delivered();
  for (const { uuid, dn } of entries) delivered.put(uuid, dn);
  for (const uuid of past.delivered.uuids()) {
    const before = known?.(uuid)?.dn;
    if (before !== undefined && before !== delivered.name(uuid)) past.left.add(before, schema);
  }
  past.delivered = delivered;
  const state = said.length > 0 ? said : await readState();
  const seconds = ((clock.monotonic() - started) / 1000).toFixed(1);
  log(`the directory: ${entries.length} entries read in ${seconds} s`);
  const requested = { attributes: attributesOf(wanted), ...shown };
  yield { kind: "refresh", entries, state, requested } as const;
  return { id, delivered, state, schema };
}

/** Detects a server that was lost without a notice, and ends a connection after a day. */
async function keepAsking(connection: Connection, base: string, clock: Clock, signal: AbortSignal): Promise<void> {
  const probe = search({ base, scope: "base", filter: "(objectClass=*)", attributes: ["1.1"] });
  const started = clock.monotonic();
  for (let probed = false; ; ) {
    const before = clock.monotonic();
    await clock.sleep(beat, signal);
    if (signal.aborted) return;
    if (clock.monotonic() - started >= day) return connection.close(new ReadAgain("a day has passed"));
    const silent = connection.heard < before;
    if (silent && probed) return connection.close(new Error(`the server has said nothing for ${beat / 1000} s`));
    if (silent) connection.send(probe);
    probed = silent;
  }
}

/** The contextCSN of the base, for a server whose cookies do not have it. */
async function contextCsn(
  connection: Connection,
  messages: MessageReader,
  base: string,
  { openLdap, product }: Server,
): Promise<DirectoryState> {
  const request = search({ base, scope: "base", filter: "(objectClass=*)", attributes: ["contextCSN"] });
  const { entries } = await messages.answersTo(connection.send(request));
  const read = entryReader();
  const values = entries.flatMap(({ body }) => read(body).attributes.get("contextcsn") ?? []);
  const state = values.filter((value) => typeof value === "string");
  if (state.length > 0) return state;
  if (!openLdap && product !== undefined) {
    throw new Error(`${product} has no contextCSN, which tells an older content from a newer one: ${exportInstead}`);
  }
  throw new Error(
    `${base} shows no contextCSN: slapd's "access" must let the reader read it, and the database needs one (slapadd -w)`,
  );
}
