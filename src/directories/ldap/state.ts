import { type DirectoryState, serverOf } from "../../core/stream/messages.ts";

/**
 * The state after a change: the highest CSN of each server. A server whose clock was set back sends lower CSNs for
 * newer changes.
 */
export function laterState(state: DirectoryState, csns: readonly string[]): DirectoryState {
  const byServer = new Map(state.map((csn) => [serverOf(csn), csn]));
  for (const csn of csns) {
    const before = byServer.get(serverOf(csn));
    if (before === undefined || before < csn) byServer.set(serverOf(csn), csn);
  }
  return [...byServer.values()];
}
