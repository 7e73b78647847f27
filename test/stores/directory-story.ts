import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { readEvent } from "../../src/core/directory/event.ts";
import { openEventDirectory, seedEventDirectory } from "../../src/daemon/event-directory.ts";
import type { EventMessage } from "../../src/ports/directory.ts";
import { virtualClock } from "../../src/testing/virtual-clock.ts";
import { events, ldif, made, notAnEvent, start } from "./expected.ts";
import { hostName, projectOf } from "./project.ts";

/** The life of a directory that is made of events. */

/** An event, as a queue hands it over. */
export const messageOf = (said: unknown[]): EventMessage => ({
  body: Buffer.from(JSON.stringify(said)),
  event: readEvent(said),
});

/** Lives it in a state folder. */
export async function liveDirectory(state: string): Promise<void> {
  const clock = virtualClock(start);
  const logged: string[] = [];
  const waits = { clock, signal: new AbortController().signal, log: (line: string) => void logged.push(line) };
  const file = join(state, "seed.ldif");
  writeFileSync(file, ldif);
  using directory = await openEventDirectory(projectOf(state), hostName, waits);
  assert.ok(directory);
  await seedEventDirectory(projectOf(state), file, { ...waits, exported: start });
  await clock.advance(made - start);
  await directory.take([...events.map(messageOf), notAnEvent], waits.signal);
  assert.deepEqual(logged, []);
}
