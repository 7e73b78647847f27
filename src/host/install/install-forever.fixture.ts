import { join } from "node:path";
import type { Host, InstallSteps } from "../../core/service/host-api.ts";
import { realMachine } from "../../machines/real.ts";
import { openDatabase } from "../../sqlite/open.ts";
import { createAllTables } from "../store/schema.ts";
import { hostWords } from "../words.ts";

/** A process that installs one version after the other on the real machine, until it is killed: `node install-forever.fixture.ts DIRECTORY FROM [TO]`. */

export const daemonSteps = (directory: string): InstallSteps => {
  const [target, running] = [join(directory, "demo.conf"), join(directory, "running")];
  return {
    check: ["grep", "-q", "^end of version", "{staged}"],
    // The lock, because a reload outlives the process that is killed and must not end after its successor's.
    reload: ["flock", target, "sh", "-c", `cp ${target} ${running}.new && mv ${running}.new ${running}`],
    probe: ["cmp", target, running],
  };
};

/** Several pages long, so that a half of it shows. */
export const textOf = (version: number): string => `${`version ${version}\n`.repeat(1500)}end of version ${version}\n`;

export function realHost(directory: string): { host: Host; close(): void } {
  const database = openDatabase(join(directory, "state", "host.db"));
  createAllTables(database);
  const { host } = hostWords({
    name: "host1",
    service: "demo",
    machine: realMachine(),
    database,
    clock: { now: Date.now, monotonic: () => performance.now(), sleep: async () => {} },
    signal: new AbortController().signal,
    secret: false,
    log: () => {},
  });
  return { host, close: () => database.close() };
}

if (import.meta.main) {
  const [directory = "", from = "0"] = process.argv.slice(2);
  const { host } = realHost(directory);
  for (let version = Number(from); ; version++) {
    await host.install({ path: join(directory, "demo.conf"), text: textOf(version) }, daemonSteps(directory));
    process.stdout.write(`${version}\n`);
  }
}
