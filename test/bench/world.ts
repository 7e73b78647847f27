import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { sqliteBroker } from "../../src/brokers/sqlite/broker.ts";
import type { StoredEntry } from "../../src/core/directory/entry.ts";
import { Hostname, Ipv4, Mac } from "../../src/core/service/columns.ts";
import { type Service, service, type Table } from "../../src/core/service/service.ts";
import { type SigningKey, signed, wrongSignature } from "../../src/core/stream/signature.ts";
import { systemClock } from "../../src/daemon/clock.ts";
import { runHost } from "../../src/host/host.ts";
import { hostStore } from "../../src/host/store/host-store.ts";
import { createAllTables } from "../../src/host/store/schema.ts";
import { realMachine } from "../../src/machines/real.ts";
import type { Broker, Delivery } from "../../src/ports/broker.ts";
import { openDatabase } from "../../src/sqlite/open.ts";
import { memoryDirectory } from "../../src/testing/memory-directory.ts";
import { transcribe } from "../../src/transcriber/transcriber.ts";

/** A machine of the made-up directory; its version is in its name, so that every service sees a change. */
export function machineEntry(number: number, version = 0): StoredEntry {
  const hex = number.toString(16).padStart(6, "0");
  const name = `m${number}v${version}`;
  return {
    uuid: `00000000-0000-4000-8000-${number.toString(16).padStart(12, "0")}`,
    dn: `cn=${name},ou=machines,dc=campus,dc=example`,
    attributes: new Map([
      ["objectclass", ["device", "ieee802Device", "ipHost"]],
      ["cn", [name]],
      ["macaddress", [`02:00:00:${hex.slice(0, 2)}:${hex.slice(2, 4)}:${hex.slice(4)}`]],
      ["iphostnumber", [`10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`]],
    ]),
  };
}

export const machines = (count: number): StoredEntry[] => Array.from({ length: count }, (_, i) => machineEntry(i));

/** The observer of a bench: the moments at which rows are stored and applied. */
export interface Watch {
  runs: number;
  stored: () => void;
  applied: () => void;
}

/**
 * A service on the machines: without `file` it uses the changes alone, with it every run renders all rows to the file.
 */
export function benchService(watch: Watch, { file, pace = 0 }: { file?: string; pace?: number }): Service {
  const definition = service({
    row: z.object({ name: Hostname, mac: Mac, ip: Ipv4 }),
    unique: ["mac", "ip"],
    pace,
    select(machine) {
      if (!machine.is("ieee802Device")) return;
      return { name: machine.name, mac: machine.one("macAddress"), ip: machine.one("ipHostNumber") };
    },
    async run({ rows, changes }, host) {
      if (file !== undefined) {
        const lines: string[] = [];
        for (const { name, mac, ip } of rows)
          lines.push(`host ${name} { hardware ethernet ${mac}; fixed-address ${ip}; }\n`);
        await host.install({ path: file, text: lines.join("") });
      } else if (!changes) for (const _ of rows);
      watch.runs += 1;
    },
  });
  return definition as unknown as Service;
}

export interface WorldOptions {
  readonly rendered?: boolean;
  readonly pace?: number;
  /** The keys: rows are signed with the first one, and the host trusts them all. */
  readonly keys?: readonly SigningKey[] | undefined;
}

/**
 * Opens the whole of trigger in this process, on the embedded default: transcriber, SQLite broker, one host with its
 * store on disk.
 */
export async function openWorld(rows: number, { rendered = false, pace = 0, keys }: WorldOptions = {}) {
  const folder = mkdtempSync(join(tmpdir(), "trigger-bench-"));
  const watch: Watch = { runs: 0, stored: () => {}, applied: () => {} };
  const definition = benchService(watch, rendered ? { file: join(folder, "hosts.conf"), pace } : { pace });
  const directory = memoryDirectory(machines(rows), systemClock);
  const database = openDatabase(join(folder, "store.db"));
  createAllTables(database);
  const stop = new AbortController();
  const common = { clock: systemClock, signal: stop.signal, log: () => {} };
  const connect = () => sqliteBroker(join(folder, "broker.db"), { log: () => {} });
  const codes = new Map([["dhcp", "1"]]);
  const broker = await connect();
  const transcriber = transcribe({
    ...common,
    host: "civet",
    config: {
      hosts: new Map([
        ["a", ["dhcp"]],
        ["civet", ["event"]],
      ]),
      timezone: "UTC",
    },
    services: new Map([["dhcp", (definition as { table: Table }).table]]),
    codes,
    source: directory,
    broker,
    ...(keys?.[0] && { sign: signer(keys[0]) }),
    random: Math.random,
    onReport(report) {
      if (report.services.dhcp?.pending === 0) watch.applied();
    },
  });
  const host = runHost({
    ...common,
    name: "a",
    services: new Map([["dhcp", definition]]),
    codes,
    store: hostStore(database),
    machineOf: () => realMachine(),
    ...(keys && { distrust: (body: Uint8Array) => wrongSignature(body, keys) }),
    connect: async () => noticing(await connect(), () => watch.stored()),
  });
  const loadedSeq = database.prepare("SELECT applied FROM service WHERE name = 'dhcp'");
  const pending = database.prepare("SELECT 1 FROM row WHERE service = 'dhcp' AND pending = 1 LIMIT 1");
  return {
    directory,
    transcriber,
    watch,
    /** Waits until the service has had this number of runs. */
    async ran(runs: number): Promise<void> {
      while (watch.runs < runs) await new Promise((resolve) => setImmediate(resolve));
    },
    /** Waits until no change is pending, and all rows of a table of that size are applied. */
    async settled(): Promise<void> {
      while (!loadedSeq.get()?.applied || pending.get()) await new Promise((resolve) => setTimeout(resolve, 5));
    },
    async [Symbol.asyncDispose](): Promise<void> {
      stop.abort();
      await Promise.all([host, transcriber.done]);
      await broker.close();
      database.close();
      rmSync(folder, { recursive: true });
    },
  };
}

const signer =
  (key: SigningKey) =>
  (body: string): string =>
    signed(body, key);

/** A broker that reports each acknowledgement: an acknowledged message is stored. */
const noticing = (broker: Broker, stored: () => void): Broker => ({
  ...broker,
  consume: (queue, take, options) =>
    broker.consume(
      queue,
      (delivery: Delivery) => take({ ...delivery, ack: () => [delivery.ack(), stored()] }),
      options,
    ),
});
