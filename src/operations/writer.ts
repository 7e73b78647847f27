import { transcribersOf } from "../core/config/config.ts";
import { readDirectory } from "../core/config/directory-config.ts";
import type { Attributes, Value } from "../core/directory/entry.ts";
import type { DirectoryState } from "../core/stream/messages.ts";
import { eventService, queueOf, serviceKey } from "../core/stream/routing.ts";
import { reason, UserError } from "../core/util/errors.ts";
import { connectBroker } from "../daemon/broker.ts";
import { systemClock } from "../daemon/clock.ts";
import { withFiles } from "../daemon/directory.ts";
import { eventOf, openBinding, type Written } from "../directories/ldap/binding.ts";
import type { Change, Modification } from "../directories/ldap/change-requests.ts";
import type { Project } from "../project/project.ts";
import { type Late, notApplied } from "./not-applied.ts";

/** The longest wait for the broker's confirmation of an event, in milliseconds: the change is made already, and reaches the hosts without it. */
const confirmTimeout = 10_000;
/** The same wait after a broker has not confirmed one (an alarm, a node that hangs), in milliseconds. */
const shortConfirmTimeout = 100;

/** The options of `openDirectory`. */
export interface WriterOptions {
  /** The person on whose behalf changes are made; the transcriber logs it with each change. */
  readonly who?: string | undefined;
  /** The reason of the changes; the transcriber logs it with each change. */
  readonly why?: string | undefined;
  /** The DN that writes, in place of the config's reader. */
  readonly bindDn?: string | undefined;
  /** The file with the password of `bindDn`, relative to the project. */
  readonly passwordFile?: string | undefined;
  /** The password of RabbitMQ, in place of the config's file. */
  readonly brokerPassword?: string | undefined;
  /** Aborts all operations. */
  readonly signal?: AbortSignal;
}

/** An entry as it was read: a write to it is refused if it has changed since. */
export interface ReadEntry {
  /** The distinguished name. */
  readonly dn: string;
  /** The version of the entry, its entryCSN. */
  readonly csn: string;
  /** The values of the attributes. */
  readonly attributes: Attributes;
}

/** A change that was made. */
export interface Made {
  /** The identifier of the change: `entryUUID@CSN`. */
  readonly id: string;
  /** The entry before the change; null if it was added. */
  readonly before: ReadEntry | null;
  /** The entry after the change; null if it was deleted. */
  readonly after: ReadEntry | null;
  /** The state of the directory that a host has applied when it has applied the change. */
  readonly state: DirectoryState;
  /** The reason if the event with who and why was not published; the change is made nevertheless. */
  readonly warning?: string;
}

/**
 * Writes to the project's directory, and tells the transcribers who and why.
 * A write that is refused throws a `UserError`: nothing was written.
 */
export interface Writer extends AsyncDisposable {
  /** The entry of `dn`, or undefined. */
  read(dn: string): Promise<ReadEntry | undefined>;
  /** Adds the entry `dn` with `attributes`. */
  add(dn: string, attributes: Readonly<Record<string, readonly Value[]>>): Promise<Made>;
  /** Makes `modifications` of `entry`. A `ReadEntry` that has changed since it was read is refused; a DN is not checked. */
  modify(entry: string | ReadEntry, modifications: readonly Modification[]): Promise<Made>;
  /** Renames or moves `entry`, as `to` says. A `ReadEntry` that has changed since it was read is refused. */
  rename(entry: string | ReadEntry, to: Rename): Promise<Made>;
  /** Deletes `entry`. A `ReadEntry` that has changed since it was read is refused. */
  delete(entry: string | ReadEntry): Promise<Made>;
  /** Makes a `change` of any kind. It is refused if `entry` has changed since it was read. */
  write(change: Change, entry?: ReadEntry): Promise<Made>;
  /** Waits until every host has applied `changes`, `options.seconds` at most (60 by default); returns the late ones. */
  notApplied(changes: readonly Made[], options?: { readonly seconds?: number }): Promise<Late[]>;
  /** Ends the connections. */
  close(): Promise<void>;
}

/** The new name of an entry. */
export interface Rename {
  /** The new RDN: `uid=alice`. */
  readonly newRdn: string;
  /** True (the default): the value of the old RDN is removed. */
  readonly deleteOldRdn?: boolean;
  /** The DN of the new parent, if the entry moves. */
  readonly newSuperior?: string;
}

/** Opens the directory of a project to write to it. */
export async function openWriter(project: Project, options: WriterOptions = {}): Promise<Writer> {
  const { who, why, brokerPassword: password, signal: outer } = options;
  const over = new AbortController();
  const signal = outer ? AbortSignal.any([outer, over.signal]) : over.signal;
  const settings = settingsOf(project, options);
  await using opened = new AsyncDisposableStack();
  const broker = opened.use(await connectBroker(project, { password }));
  const binding = await openBinding({ ...settings, clock: systemClock, signal });
  opened.defer(() => {
    binding.close();
    over.abort();
  });
  const transcribers = transcribersOf(project.config);
  const queues = transcribers.map((host) => queueOf(host, eventService, "event"));
  const additional = who === undefined && why === undefined ? null : { who, why };

  /** A state that the directory has at least reached now; empty if it cannot be read, which does not prevent the change. */
  async function presentState(): Promise<DirectoryState> {
    const base = await binding.read(settings.base).catch(() => undefined);
    return (base?.attributes.get("contextcsn") ?? []).map(String).sort();
  }

  async function write(change: Change, entry?: ReadEntry): Promise<Made> {
    signal.throwIfAborted(); // nothing was sent, so the outcome is certain
    const written = await binding.write(change, entry && { read: entry.csn });
    const state = written.after && written.csn !== "" ? [written.csn] : await presentState();
    const id = `${written.uuid}@${state.at(-1) ?? ""}`;
    const warning = await publishEvent(eventOf(id, written, additional), id);
    const { before, after } = written;
    return {
      ...{ id, state, before: before && entryOf(before), after: after && entryOf(after) },
      ...(warning !== undefined && { warning }),
    };
  }

  let timeout = confirmTimeout;
  /** Publishes an event; returns the reason if the broker has not confirmed it. */
  async function publishEvent(event: string, messageId: string): Promise<string | undefined> {
    const done = new AbortController();
    const late = systemClock.sleep(timeout, done.signal).then(() => {
      if (!done.signal.aborted) timeout = shortConfirmTimeout;
      throw new Error("the broker does not confirm it in time");
    });
    const publish = async (): Promise<void> => {
      await broker.declare(queues);
      await broker.publish(serviceKey(eventService), event, { messageId });
      timeout = confirmTimeout;
    };
    try {
      await Promise.race([publish(), late]);
      return undefined;
    } catch (error) {
      return reason(error);
    } finally {
      done.abort();
    }
  }

  const kept = opened.move();
  const close = (): Promise<void> => kept.disposeAsync();
  return {
    async read(dn) {
      const found = await binding.read(dn);
      return found && entryOf(found.attributes, found.dn);
    },
    add: (dn, attributes) => write({ kind: "add", dn, attributes: new Map(Object.entries(attributes)) }),
    modify: (entry, modifications) => write({ kind: "modify", dn: dnOf(entry), modifications }, readOf(entry)),
    rename: (entry, to) => write({ kind: "rename", dn: dnOf(entry), deleteOldRdn: true, ...to }, readOf(entry)),
    delete: (entry) => write({ kind: "delete", dn: dnOf(entry) }, readOf(entry)),
    write,
    async notApplied(changes, { seconds = 60 } = {}) {
      const blind = changes.find(({ state }) => state.length === 0);
      if (blind) {
        const needs = `the writer may not read entryCSN, or contextCSN of ${settings.base}`;
        throw new UserError(`the hosts that have applied ${blind.id} are not known: ${needs}`);
      }
      const csns = changes.flatMap(({ state }) => state);
      return notApplied(csns, { project, broker, seconds, signal });
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

function settingsOf({ config, folder, ldifFile }: Project, { bindDn, passwordFile }: WriterOptions) {
  const { directory } = config;
  if (!directory)
    throw new UserError("the config names no directory: publish events (docs/protocol.md), or `trigger seed`");
  if ("ldif" in directory) throw new UserError(`the directory is a file, ${ldifFile}: edit it, and trigger follows`);
  if (bindDn === undefined && passwordFile === undefined) return withFiles(directory, folder);
  const { bindDn: _reader, passwordFile: _its, ...rest } = directory;
  const writer = {
    ...rest,
    ...(bindDn !== undefined && { bindDn }),
    ...(passwordFile !== undefined && { passwordFile }),
  };
  const read = readDirectory(writer, "the writer");
  return withFiles(read as typeof directory, folder, { piped: passwordFile !== undefined });
}

const dnOf = (entry: string | ReadEntry): string => (typeof entry === "string" ? entry : entry.dn);
const readOf = (entry: string | ReadEntry): ReadEntry | undefined => (typeof entry === "string" ? undefined : entry);

function entryOf(attributes: NonNullable<Written["after"]>, dn?: string): ReadEntry {
  const one = (name: string): string => String(attributes.get(name)?.[0] ?? "");
  return { dn: dn ?? one("entrydn"), csn: one("entrycsn"), attributes };
}
