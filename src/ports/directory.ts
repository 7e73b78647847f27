import type { StoredEntry } from "../core/directory/entry.ts";
import type { DirectoryEvent } from "../core/directory/event.ts";
import type { RequestedAttributes } from "../core/directory/requested-attributes.ts";
import type { DirectoryState } from "../core/stream/messages.ts";

/** The source of a directory: an LDIF file, OpenLDAP, events, or memory in tests. */
export interface DirectorySource {
  /**
   * Delivers the directory until `signal` aborts: first a refresh, then the changes in the order of the directory.
   * Trouble that may pass is delivered, not thrown; the last good content stays meanwhile. Unchanged entries of a refresh
   * are the very objects of `known`, so that the directory is not in memory twice.
   */
  changes(signal: AbortSignal, known?: KnownEntry): AsyncIterable<SourceChange>;
  /** Orders a refresh now, to compare the mirror with the directory. */
  refresh(): void;
}

/** The entry that the follower of a source knows under a uuid; undefined if it knows none. */
export type KnownEntry = (uuid: string) => StoredEntry | undefined;

/** A delivery of a source: the whole content, a change, or trouble. */
export type SourceChange =
  /** The whole content, to be applied as one change. */
  | {
      readonly kind: "refresh";
      readonly entries: readonly StoredEntry[];
      readonly state: DirectoryState;
      /** The attributes that were requested from a live directory; absent if entries come with all their attributes. */
      readonly requested?: RequestedAttributes;
    }
  /** Entries that were added or changed, and the uuids of removed ones. */
  | {
      readonly kind: "change";
      readonly put: readonly StoredEntry[];
      readonly removed: readonly string[];
      readonly state: DirectoryState;
    }
  /** The directory cannot be read now, or its answer is implausible: the reason, with the remedy. */
  | { readonly kind: "trouble"; readonly why: string };

/** A directory that consists of the events it was given. It keeps them where there is no other directory. */
export interface EventDirectory extends DirectorySource {
  /**
   * Stores messages of a queue, in its order. They are on the disk when this resolves. If they cannot be stored it
   * rejects, and none of them is taken. An event whose hash was taken before is dropped.
   */
  take(messages: readonly EventMessage[], signal: AbortSignal): Promise<void>;
  /** The unreadable messages that were set aside: their number, and the newest. */
  aside(): Aside;
}

/** A message that should be an event: its event, or the fault in it. */
export type EventMessage = { readonly body: Uint8Array } & (
  | { readonly event: DirectoryEvent }
  | { readonly wrong: string }
);

export interface Aside {
  readonly count: number;
  readonly newest?: { readonly why: string; readonly at: number };
}
