import type { AskedAttributes } from "../core/directory/asked.ts";
import type { StoredEntry } from "../core/directory/entry.ts";
import type { DirectoryEvent } from "../core/directory/event.ts";
import type { DirectoryState } from "../core/stream/messages.ts";

/** The source of a directory: an LDIF file, OpenLDAP, events, or memory in tests. */
export interface DirectorySource {
  /**
   * Delivers the directory until `signal` aborts: first a refresh, then the changes in the order of the directory.
   * Trouble that may pass is delivered, not thrown; the last good content stays meanwhile. Unchanged entries of a refresh
   * are the very objects of `held`, so that the directory is not in memory twice.
   */
  changes(signal: AbortSignal, held?: Held): AsyncIterable<SourceChange>;
  /** Orders a refresh now, to compare the mirror with the directory. */
  refresh(): void;
}

/** The entry that the follower of a source holds under a uuid; undefined where it holds none. */
export type Held = (uuid: string) => StoredEntry | undefined;

/** A delivery of a source: the whole content, a change, or trouble. */
export type SourceChange =
  /** The whole content, to be applied as one change. */
  | {
      readonly kind: "refresh";
      readonly entries: readonly StoredEntry[];
      readonly state: DirectoryState;
      /** The attributes that were asked of a live directory; absent if entries come with all that they have. */
      readonly asked?: AskedAttributes;
    }
  /** Entries that appeared or changed, and the uuids of those that are gone. */
  | {
      readonly kind: "change";
      readonly put: readonly StoredEntry[];
      readonly gone: readonly string[];
      readonly state: DirectoryState;
    }
  /** The directory cannot be read now, or its answer is implausible: the reason, with the remedy. */
  | { readonly kind: "trouble"; readonly why: string };

/** A directory that knows only what it is told: without another one, events are the truth, and this is where they are kept. */
export interface EventDirectory extends DirectorySource {
  /**
   * Takes what a queue handed over, in its order. It is on the disk when this resolves; it rejects when it cannot be, and nothing of it is taken then.
   * An event whose hash was taken before is dropped.
   */
  take(messages: readonly EventMessage[], signal: AbortSignal): Promise<void>;
  /** The messages that were set aside because they could not be understood: their number, and the newest. */
  aside(): Aside;
}

/** A message that should be an event: what it says, or what is wrong with it. */
export type EventMessage = { readonly body: Uint8Array } & (
  | { readonly event: DirectoryEvent }
  | { readonly wrong: string }
);

export interface Aside {
  readonly count: number;
  readonly newest?: { readonly why: string; readonly at: number };
}
