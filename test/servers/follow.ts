import assert from "node:assert/strict";
import type { StoredEntry } from "../../src/core/directory/entry.ts";
import { schemaOf } from "../../src/core/directory/schema.ts";
import { atOnce } from "../../src/core/util/slices.ts";
import { readContent } from "../../src/directories/ldif/content.ts";
import type { DirectorySource, SourceChange } from "../../src/ports/directory.ts";
import { Mirror } from "../../src/transcriber/mirror/mirror.ts";

export type Refresh = SourceChange & { kind: "refresh" };
export type Trouble = SourceChange & { kind: "trouble" };

/** Follows a source as the transcriber does: applies its changes to a mirror and records all of them. */
export interface Follower extends AsyncDisposable {
  readonly mirror: Mirror;
  readonly seen: readonly SourceChange[];
  /** The next change that was not taken before. */
  next(): Promise<SourceChange>;
  refresh(): Promise<Refresh>;
  trouble(): Promise<Trouble>;
  /** Takes changes until a condition holds. */
  until(condition: () => boolean): Promise<void>;
}

export function follow(source: DirectorySource, { within = 10_000 } = {}): Follower {
  const abort = new AbortController();
  const mirror = new Mirror();
  const changes = source.changes(abort.signal, (uuid) => mirror.get(uuid))[Symbol.asyncIterator]();
  const seen: SourceChange[] = [];

  async function next(): Promise<SourceChange> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const last = JSON.stringify(seen.at(-1) ?? null)?.slice(0, 500);
      timer = setTimeout(
        () => reject(new Error(`nothing was delivered for ${within} ms; the last was ${last}`)),
        within,
      );
    });
    try {
      const { value, done } = await Promise.race([changes.next(), late]);
      assert.ok(!done, "the directory ended by itself");
      if (value.kind === "refresh") atOnce(mirror.refresh(value.entries, schemaOf(value.requested?.types ?? [])));
      if (value.kind === "change") atOnce(mirror.change(value.put, value.removed));
      seen.push(value);
      return value;
    } finally {
      clearTimeout(timer);
    }
  }
  return {
    ...{ mirror, seen, next },
    async refresh() {
      const change = await next();
      assert.equal(change.kind, "refresh", JSON.stringify(change).slice(0, 500));
      return change as Refresh;
    },
    async trouble() {
      const change = await next();
      assert.equal(change.kind, "trouble", JSON.stringify(change).slice(0, 500));
      return change as Trouble;
    },
    async until(condition) {
      while (!condition()) await next();
    },
    async [Symbol.asyncDispose]() {
      abort.abort();
      await changes.return?.();
    },
  };
}

/** The content of a mirror, in a form that can be compared and shown. */
export const shownMirror = (mirror: Mirror): Record<string, unknown> => shown(mirror.entries());

/** The output of slapcat, in the same form. */
export const shownLdif = (ldif: string): Record<string, unknown> => shown(readContent(Buffer.from(ldif), "slapcat"));

/** The content by uuid, without the attributes that only slapcat prints. */
export function shown(entries: Iterable<StoredEntry>): Record<string, unknown> {
  const all = Array.from(entries, ({ uuid, dn, attributes }): [string, unknown] => {
    const kept = [...attributes].filter(([name]) => name !== "structuralobjectclass" && name !== "contextcsn");
    return [uuid, { dn, attributes: Object.fromEntries(kept.sort(([a], [b]) => (a < b ? -1 : 1))) }];
  });
  return Object.fromEntries(all.sort(([a], [b]) => (a < b ? -1 : 1)));
}
