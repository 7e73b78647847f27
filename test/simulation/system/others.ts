import { createHash } from "node:crypto";
import { readFacts } from "../../../src/host/store/facts.ts";
import type { Random } from "../../../src/testing/random.ts";
import { Violation } from "../violation.ts";
import { type ServiceName, serviceNames } from "./campus.ts";
import { file, type SimulatedMachine, textOf } from "./machine.ts";
import type { HostProcess } from "./world.ts";

/**
 * Foreign content on a machine, found there or written later, and the acts that trigger may do only with a person's
 * approval.
 */

/** The content of a machine before trigger came. */
interface Found {
  /** The text of the names' file. */
  readonly text: string | undefined;
  /** A record in a place that a row may want. */
  readonly record: readonly [ip: string, name: string] | undefined;
}

/** A record that no row concerns. */
const foreign = ["10.0.9.7", "foreign"] as const;

/** True if a line is foreign, so that trigger neither adds nor removes it. */
export const isOfOthers = (line: string): boolean => line.startsWith("10.0.9.") || line.endsWith(" theirs");

function furnish({ edit, record }: SimulatedMachine, random: Random): Found {
  const text = random.chance(0.1) ? textOf([{ name: "found", ip: "10.0.9.8" }]) : undefined;
  const there = random.chance(0.15) ? (["10.0.0.15", "theirs"] as const) : undefined;
  record(...foreign, { kept: true });
  if (there) record(...there, { kept: false });
  if (text !== undefined) edit(text, { reload: true });
  return { text, record: there };
}

/** The text of a host's file with a line added by hand. */
export function editedText(text: string): string {
  const lines = text.split("\n").filter((line) => /^\d/.test(line));
  const rows = [...lines, "10.0.9.9 hand"].map((line) => line.split(" ") as [string, string]);
  return textOf(rows.map(([ip, name]) => ({ ip, name })));
}

/** Places foreign content on the machines and checks that hosts do nothing that needs a person's approval. */
export interface Watch {
  look(): void;
  /** Called when a run of a service begins, on single changes or on all rows. */
  began(host: string, service: ServiceName, by: { readonly changes: boolean }): void;
  /** Called when a run of a service has succeeded. */
  ran(host: string, service: string): void;
  /** Called when a host has lost power: the applied rows are in place again. */
  rebooted(host: string): void;
  /** Called when a person lets a service go on. */
  approved(host: string, service: ServiceName): void;
}

export function watch(hosts: readonly HostProcess[], random: Random): Watch {
  const furnished = new Map(hosts.map((host) => [host, furnish(host.machine, random)]));
  const approved = new Set<string>();
  /** The services that were held by a person at the last look. */
  let held = new Set<string>();
  /** By host, the hand edit that was in the file when the last run of the names began. */
  const found = new Map<string, number>();
  /** By host, the number of restarts of `recordd` when the last run of the addresses began. */
  const restarts = new Map<string, number>();
  /** The same number for a run that restores the applied rows of a service held by a person. */
  const bringsBack = new Map<string, number>();
  /** By host and service, the restarts of its daemon when a run last began or ended well. */
  const starts = new Map<string, number>();
  const startsOf = ({ machine }: HostProcess, service: ServiceName): number =>
    machine.starts[service === "names" ? "named" : "recordd"];
  let seen: Violation | undefined;
  const isHeld = ({ store }: HostProcess, service: ServiceName): boolean =>
    readFacts(store.raw, service)?.held?.by === "person";

  function lookAtOthers(host: HostProcess): void {
    const { name, machine } = host;
    const { raw, records, restarts } = machine;
    const { text, record } = furnished.get(host) ?? {};
    if (records.get(foreign[0]) !== foreign[1]) throw new Violation("foreign", `${name}: a foreign record has gone`);
    if (text !== undefined && !approved.has(`${name} names`) && raw.text(file) !== text)
      throw new Violation("take-over", `${name}: the foreign file was replaced without an approval`);
    const [ip, theirs] = record ?? [""];
    if (record && !approved.has(`${name} addresses`) && restarts === 0 && records.get(ip) !== theirs)
      throw new Violation("take-over", `${name}: a foreign record was replaced without an approval`);
  }

  /** Checks that a text reported as served is the one that the daemon runs. */
  function lookAtProof({ name, store, machine }: HostProcess): void {
    const { raw, running, edited, disturbed } = machine;
    if (edited || disturbed || store.lost || running === raw.text(file)) return;
    const sql =
      "SELECT 1 FROM install_path WHERE path = ? AND serving = 1 AND path NOT IN (SELECT path FROM install_pending)";
    if (readFacts(store.raw, "names")?.serving && store.raw.prepare(sql).get(file) !== undefined)
      throw new Violation("P3", `${name}: its file is said to be serving, and named does not run it`);
  }

  /** Checks that the daemon has all applied rows, if none is pending. */
  function lookAtRecords({ name, store, machine }: HostProcess): void {
    const { full = 1, applied: last } = readFacts(store.raw, "addresses") ?? {};
    // Rows of a table in doubt may contradict each other: a full run is pending until the table is known to be right.
    if (store.lost || full > 0 || last?.doubt || restarts.get(name) !== machine.restarts) return;
    const rows = store.raw.prepare("SELECT applied, pending FROM row WHERE service = 'addresses'").all();
    if (rows.some(({ pending }) => pending === 1)) return;
    const applied = rows.flatMap((row) => (row.applied === null ? [] : [JSON.parse(String(row.applied))]));
    const should = applied.map(({ ip, name }) => `${ip} ${name}`).sort();
    const does = [...machine.records].map(([ip, name]) => `${ip} ${name}`).filter((line) => !isOfOthers(line));
    if (should.join() === does.sort().join()) return;
    throw new Violation(
      "P1",
      `${name}: nothing is pending, ${should.join(", ")} are applied, and it has ${does.join(", ")}`,
    );
  }

  return {
    look() {
      if (seen) throw seen;
      hosts.forEach(lookAtOthers);
      hosts.forEach(lookAtProof);
      hosts.forEach(lookAtRecords);
      const places = hosts.flatMap((host) => serviceNames.map((service) => [host, service] as const));
      held = new Set(
        places.filter(([host, service]) => isHeld(host, service)).map(([{ name }, service]) => `${name} ${service}`),
      );
    },
    began(name, service, { changes }) {
      const host = hosts.find((one) => one.name === name);
      if (host && service === "names") found.set(name, host.machine.edited);
      if (!host) return;
      // A restoration in a held service is not pending in the store; the rows are there at the end of the run.
      if (service === "addresses") (isHeld(host, service) ? bringsBack : restarts).set(name, host.machine.restarts);
      const place = `${name} ${service}`;
      const hasLost = !changes && startsOf(host, service) > (starts.get(place) ?? 0);
      if (!held.has(place) || !isHeld(host, service)) starts.set(place, startsOf(host, service));
      // The applied rows are restored to a daemon that was started since.
      else if (!hasLost) seen ??= new Violation("held", `${name}: ${service} ran although a person holds it`);
    },
    ran(name, service) {
      const host = hosts.find((one) => one.name === name);
      if (host && serviceNames.some((one) => one === service))
        starts.set(`${name} ${service}`, startsOf(host, service as ServiceName));
      const broughtBack = bringsBack.get(name);
      if (host && service === "addresses" && broughtBack !== undefined && isHeld(host, service))
        restarts.set(name, broughtBack);
      const edited = host?.machine.edited;
      if (service !== "names" || !edited || edited !== found.get(name)) return;
      if (isHeld(host, service)) return; // the applied rows are restored, and a file that differs is left alone
      seen ??= new Violation("P3", `${name}: a run succeeded, and left the hand edit in the file`);
    },
    rebooted(name) {
      const host = hosts.find((one) => one.name === name);
      if (!host || host.store.lost || host.machine.edited) return;
      const sql = "SELECT applied FROM install_path WHERE path = ? AND path NOT IN (SELECT path FROM install_pending)";
      const applied = host.store.raw.prepare(sql).get(file)?.applied ?? null;
      const text = host.machine.raw.text(file);
      if (applied === null || (text !== undefined && createHash("sha256").update(text).digest("hex") === applied))
        return;
      seen ??= new Violation("P6", `${name} has lost its power, and has another file than the last applied one`);
    },
    approved: (host, service) => void approved.add(`${host} ${service}`),
  };
}
