import assert from "node:assert/strict";
import { test } from "node:test";
import type { StoredEntry } from "../../src/core/directory/entry.ts";
import { olderState } from "../../src/core/stream/messages.ts";
import { systemClock } from "../../src/daemon/clock.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { DirectorySource, SourceChange } from "../../src/ports/directory.ts";

/** A directory of one implementation, and the means of a person to change it. */
export interface OpenDirectory {
  readonly source: DirectorySource;
  /** Replaces the content of the directory by these entries. */
  hold(entries: readonly StoredEntry[]): Promise<void>;
  /** Makes the directory unreadable or implausible until the next `hold`. */
  break(): Promise<void>;
  close(): Promise<void>;
}

export type OpenEmptyDirectory = (entries: readonly StoredEntry[], clock: Clock) => Promise<OpenDirectory>;

/** An entry with only its DN for an identity, as every source can deliver it. */
export const entryOf = (name: string, description = "as it was"): StoredEntry => ({
  uuid: `cn=${name},dc=campus`,
  dn: `cn=${name},dc=campus`,
  attributes: new Map([
    ["objectclass", ["device"]],
    ["cn", [name]],
    ["description", [description]],
  ]),
});

/** The contract of every directory source. */
export function directoryContract(name: string, open: OpenEmptyDirectory): void {
  const claim = (what: string, body: (scene: Scene) => Promise<void>): void => {
    test(`${name}: ${what}`, { timeout: 20_000 }, async () => {
      // What an earlier test closed is gone a moment later.
      for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
      const before = resources();
      const directory = await open([entryOf("a"), entryOf("b")], systemClock);
      const scene = sceneOf(directory);
      try {
        await body(scene);
      } finally {
        await scene.stop();
        await directory.close();
      }
      assert.deepEqual(resources(), before, "timers and watchers left behind");
    });
  };

  claim("the first delivery is the whole content", async ({ next }) => {
    const first = await next();
    assert.ok(first.kind === "refresh");
    assert.deepEqual(sorted(first.entries), [entryOf("a"), entryOf("b")]);
    assert.equal(first.state.length, 1);
  });

  claim("later content arrives in order, each with a newer state", async ({ next, follow, hold }) => {
    const first = await next();
    assert.ok(first.kind === "refresh");
    let { state } = first;
    for (const content of [[entryOf("a"), entryOf("b", "changed")], [entryOf("b", "changed")], [entryOf("c")]]) {
      await hold(content);
      const now = await follow(content);
      assert.ok(olderState(state, now), `${state} before ${now}`);
      state = now;
    }
  });

  claim("trouble is delivered, and so is later content", async ({ next, follow, hold, directory }) => {
    await next();
    await directory.break();
    const trouble = await next();
    assert.ok(trouble.kind === "trouble");
    assert.notEqual(trouble.why, "");
    await hold([entryOf("c")]);
    await follow([entryOf("c")]);
  });

  claim("a requested refresh delivers the whole content again", async ({ next, directory }) => {
    const first = await next();
    directory.source.refresh();
    const second = await next();
    assert.ok(first.kind === "refresh" && second.kind === "refresh");
    assert.deepEqual(sorted(second.entries), sorted(first.entries));
    assert.ok(!olderState(second.state, first.state));
  });

  claim(
    "a refresh delivers an unchanged entry as the object already held",
    async ({ next, follow, hold, directory, held }) => {
      await next();
      await hold([entryOf("a"), entryOf("b", "changed")]);
      await follow([entryOf("a"), entryOf("b", "changed")]);
      const before = [...held()];
      directory.source.refresh();
      assert.equal((await next()).kind, "refresh");
      assert.equal(held().size, 2);
      for (const [uuid, entry] of before) assert.equal(held().get(uuid)?.attributes, entry.attributes);
    },
  );

  claim("the signal ends a wait at once", async ({ next, end, stop }) => {
    await next();
    const waiting = end();
    await stop();
    assert.equal(await waiting, true);
  });

  claim("an aborted signal ends following before it begins", async ({ directory }) => {
    for await (const change of directory.source.changes(AbortSignal.abort())) assert.fail(`delivered ${change.kind}`);
  });

  claim("a later follower gets the content of that time", async ({ next, directory, hold, follow }) => {
    await next();
    await hold([entryOf("c")]);
    await follow([entryOf("c")]);
    const late = sceneOf(directory);
    const first = await late.next();
    await late.stop();
    assert.ok(first.kind === "refresh");
    assert.deepEqual(first.entries, [entryOf("c")]);
  });
}

type Scene = ReturnType<typeof sceneOf>;

function sceneOf(directory: OpenDirectory) {
  const abort = new AbortController();
  let content = new Map<string, StoredEntry>();
  const changes = directory.source.changes(abort.signal, (uuid) => content.get(uuid))[Symbol.asyncIterator]();

  const next = async (): Promise<SourceChange> => {
    const { value, done } = await changes.next();
    assert.ok(!done, "the directory ended by itself");
    const change = value as SourceChange;
    if (change.kind === "refresh") content = new Map(change.entries.map((entry) => [entry.uuid, entry]));
    if (change.kind === "change") {
      for (const entry of change.put) content.set(entry.uuid, entry);
      for (const uuid of change.removed) content.delete(uuid);
    }
    return change;
  };

  return {
    directory,
    next,
    held: (): ReadonlyMap<string, StoredEntry> => content,
    hold: (entries: readonly StoredEntry[]) => directory.hold(entries),
    /** Takes deliveries until they amount to these entries, and gives the state then. */
    async follow(expected: readonly StoredEntry[]): Promise<readonly string[]> {
      for (;;) {
        const change = await next();
        const same = JSON.stringify(sorted(content.values()).map(shown)) === JSON.stringify(expected.map(shown));
        if (change.kind !== "trouble" && same) return change.state;
      }
    },
    /** True once the iteration has ended. */
    end: async (): Promise<boolean> => (await changes.next()).done === true,
    async stop(): Promise<void> {
      abort.abort();
      await changes.return?.();
    },
  };
}

const sorted = (entries: Iterable<StoredEntry>): StoredEntry[] =>
  [...entries].sort((a, b) => (a.uuid < b.uuid ? -1 : 1));

const shown = ({ uuid, dn, attributes }: StoredEntry): unknown => [uuid, dn, [...attributes]];

/** The handles that keep a process alive or watch for it, except the test runner's own. */
function resources(): string[] {
  return process
    .getActiveResourcesInfo()
    .filter((kind) => /Timeout|FSEvent|StatWatcher/.test(kind))
    .sort();
}
