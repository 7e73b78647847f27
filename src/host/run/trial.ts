import type { Files, Host } from "../../core/service/host-api.ts";
import type { Run, Table } from "../../core/service/service.ts";
import type { Columns } from "../../core/util/json.ts";
import { installer } from "../install/install.ts";
import { dryOwned } from "../store/owned.ts";
import { type HostApiOptions, hostApi } from "./host-api.ts";

/**
 * A trial of a run's checks that changes nothing: its files are staged and checked, and it ends before any further
 * step.
 */

/**
 * Runs a table service up to its first change, with each install's check in place of the install. Returns the message
 * of a check that refuses; undefined if all pass. Throws if the run ends otherwise, or before any check: then the trial
 * has no result.
 */
export async function tryRun(table: Table, run: Run<Columns>, options: HostApiOptions): Promise<string | undefined> {
  const installs = installer(options);
  const { host: api } = hostApi(options);
  let refused: string | undefined;
  let checks = 0;
  const end = async (): Promise<never> => {
    throw new Ended("a trial changes nothing");
  };
  const host: Host = {
    ...api,
    async install(files, steps = {}) {
      const why = await installs.tryOut("path" in files ? [files] : files, steps, host);
      checks += 1;
      refused ??= why;
      if (why !== undefined) throw new Ended(why);
      return "unchanged";
    },
    tell: end,
    files: readOnly(api.files, end),
    owned: dryOwned(api.owned),
    memory: { get: api.memory.get, set: () => {} },
    log: () => {},
  };
  try {
    await table.run(run as never, host);
  } catch (error) {
    host.signal.throwIfAborted();
    // A service may have turned it into another error.
    if (refused === undefined && !(error instanceof Ended && checks > 0)) throw error;
  }
  return refused;
}

/** The host of a run that only tests if its service is still held. A step that would change something ends the run. */
export function lookingHost(options: HostApiOptions): { readonly host: Host; hasEnded(error: unknown): boolean } {
  const installs = installer(options);
  const { host: api } = hostApi(options);
  const end = async (): Promise<never> => {
    throw new Ended("a look changes nothing");
  };
  const host: Host = {
    ...api,
    async install(files, steps = {}) {
      await installs.throwIfHeld("path" in files ? [files] : files, steps);
      return "unchanged";
    },
    tell: end,
    files: readOnly(api.files, end),
    owned: dryOwned(api.owned),
    memory: { get: api.memory.get, set: () => {} },
  };
  return { host, hasEnded: (error) => error instanceof Ended };
}

class Ended extends Error {}

const readOnly = (files: Files, end: () => Promise<never>): Files => ({
  stat: (path) => files.stat(path),
  read: (path) => files.read(path),
  list: (path) => files.list(path),
  readLink: (path) => files.readLink(path),
  resolve: (path) => files.resolve(path),
  ...{ write: end, makeDirectory: end, chmod: end, chown: end, link: end, rename: end, remove: end, sync: end },
});
