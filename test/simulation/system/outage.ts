import { serviceReport } from "../../../src/host/report/report.ts";
import { readFacts } from "../../../src/host/store/facts.ts";
import { hostStore } from "../../../src/host/store/host-store.ts";
import { Violation } from "../violation.ts";
import { type ServiceName, serviceNames } from "./campus.ts";
import { file } from "./machine.ts";
import { serves, storedRows } from "./served.ts";
import type { HostProcess, World } from "./world.ts";

/** P6: the directory, the broker and all transcribers are away, and every host loses power. */

/** The length of the outage, in milliseconds: the longest backoff of a run plus the time of one run. */
const away = 45_000;

/**
 * Removes all parts but the hosts, which lose power. From their disks alone they must then have the content they last
 * had.
 */
export async function outage(world: World, pass: (milliseconds: number) => Promise<void>): Promise<void> {
  const { hosts, transcribers, network, directory, note } = world;
  note("directory, broker and transcribers go away, and every host loses power");
  for (const transcriber of transcribers) transcriber.kill();
  directory.fail();
  network.loseDisk(2 * away);
  for (const host of hosts) host.powerCut();
  // The applied rows are those on the disk now: an interrupted run may have changed them.
  const before = new Map(hosts.map((host) => [host, host.machine.raw.text(file)]));
  for (const host of hosts) host.start();
  await pass(away);
  for (const host of hosts) {
    const why = wrongAlone(host, before.get(host));
    if (why) throw new Violation("P6", `${host.name}, alone after a power cut: ${why}`);
  }
  directory.heal();
}

function wrongAlone(host: HostProcess, before: string | undefined): string | undefined {
  const { running } = host.machine;
  if (running !== host.machine.raw.text(file)) return "named does not run its file";
  if (running === undefined && before !== undefined) return `its file is gone; it was ${JSON.stringify(before)}`;
  for (const service of serviceNames) {
    const why = wrongService(host, service);
    if (why) return `${service}: ${why}`;
  }
  return undefined;
}

function wrongService(host: HostProcess, service: ServiceName): string | undefined {
  const facts = readFacts(host.store.raw, service);
  // A table that was never complete causes no run, and a refused text waits for its rows to change: the last good one
  // stays.
  if (!facts?.followed.equal || facts.fatal !== undefined || facts.failing !== undefined) return undefined;
  // A service held by a person writes nothing; and rows of a table that lacks a message may contradict each other.
  if (facts.held !== undefined || facts.followed.doubt) return undefined;
  const { pending, reloads } = serviceReport(hostStore(host.store.raw).service(service));
  if (pending > 0 || reloads.length > 0) return `owes ${pending} rows, reloads ${reloads}`;
  for (const { key, by, desired, applied } of storedRows(host, service)) {
    const right = by === null && !desired?.startsWith("!") ? desired : applied;
    if (right !== null && !serves(host, service, right)) return `${key} is not served as ${right}`;
  }
  return undefined;
}
