import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import { z } from "zod";
import { type Service, service, type Table } from "../../src/core/service/service.ts";
import { queueOf, serviceKey } from "../../src/core/stream/routing.ts";
import {
  type PublicKey,
  type SigningKey,
  signed,
  signingKey,
  wrongSignature,
} from "../../src/core/stream/signature.ts";
import { systemClock } from "../../src/daemon/clock.ts";
import { runHost } from "../../src/host/host.ts";
import { serviceReport } from "../../src/host/report/report.ts";
import { hostStore } from "../../src/host/store/host-store.ts";
import { memoryDirectory } from "../../src/testing/memory-directory.ts";
import { memoryMachine } from "../../src/testing/memory-machine.ts";
import { transcribe } from "../../src/transcriber/transcriber.ts";
import { emptyStore } from "../fixtures/empty-store.ts";
import { stored } from "../fixtures/entry.ts";
import { until } from "../until.ts";
import type { BrokerWorld } from "./broker.ts";

const within = 60_000;
const newKey = (): SigningKey => signingKey(generateKeyPairSync("ed25519").privateKey);

/** The contract of signing over every broker: a broker carries bytes and does not interpret signatures. */
export function signingContract(name: string, open: () => Promise<BrokerWorld>): void {
  test(`${name}: untrusted rows are refused, counted and reported; the transcriber's are applied`, async () => {
    const ours = newKey();
    await using world = await network(await open(), { signs: () => ours, trusts: () => [ours] });
    world.put("a", "1");
    await until(() => world.served.get("a") === "1", { within });
    await world.forge("evil");
    await world.forge("evil", newKey());
    await until(() => world.report().untrusted?.count === 2, { within });
    await until(() => world.heard() === 2, { within });
    world.put("a", "2");
    await until(() => world.served.get("a") === "2", { within });
    assert.deepEqual([...world.served.keys()], ["a"]);
  });

  test(`${name}: a host that names no key takes signed and unsigned rows`, async () => {
    const ours = newKey();
    await using world = await network(await open(), { signs: () => ours });
    world.put("a", "1");
    await until(() => world.served.get("a") === "1", { within });
    await world.forge("evil");
    await until(() => world.served.has("evil"), { within });
  });

  test(`${name}: keys are changed between any two changes, and none is lost or refused`, async () => {
    const keys = Array.from({ length: 5 }, newKey);
    let trusted = keys.slice(0, 1);
    let signer = keys[0];
    await using world = await network(await open(), { signs: () => signer, trusts: () => trusted });
    for (let n = 0; n < 20; n++) {
      const [old, next] = [keys[n % keys.length]!, keys[(n + 1) % keys.length]!];
      world.put(`m${n}`, "1");
      trusted = [old, next];
      world.put(`m${n}`, "2");
      signer = next;
      world.put(`m${n}`, "3");
      // The old key is removed once the messages that it signed have arrived.
      await until(() => world.served.get(`m${n}`) === "3", { within });
      trusted = [next];
    }
    assert.deepEqual(new Set(world.served.values()), new Set(["3"]));
    assert.equal(world.served.size, 20);
    assert.equal(world.report().untrusted, undefined);
  });
}

interface Keys {
  signs(): SigningKey | undefined;
  /** The keys that the host trusts; without it, the host trusts every sender. */
  trusts?(): readonly PublicKey[];
}

/** A transcriber, a host with a service, and an untrusted user who may publish, on a broker. */
async function network(place: BrokerWorld, { signs, trusts }: Keys) {
  const served = new Map<string, string>();
  const definition = service({
    row: z.object({ name: z.string(), value: z.string() }),
    pace: 0,
    select: (entry) => (entry.is("device") ? { name: entry.name, value: entry.one("value") } : undefined),
    async run({ rows }) {
      served.clear();
      for (const { name, value } of rows) served.set(name, value);
    },
  }) as unknown as Service & { table: Table };
  const services = new Map([["dhcp", definition]]);
  const stop = new AbortController();
  const common = { clock: systemClock, signal: stop.signal, log() {}, codes: new Map([["dhcp", "1"]]) };
  const database = emptyStore();
  const directory = memoryDirectory([], systemClock);
  const [broker, stranger] = [await place.connect(), await place.connect()];
  await stranger.declare([queueOf("a", "dhcp", "table")]);
  let heard = 0;
  const transcriber = transcribe({
    ...common,
    host: "civet",
    config: { hosts: new Map(Object.entries({ a: ["dhcp"], civet: ["event"] })), timezone: "UTC" },
    services: new Map([["dhcp", definition.table]]),
    source: directory,
    broker,
    random: Math.random,
    sign(body) {
      const key = signs();
      return key ? signed(body, key) : body;
    },
    onReport: ({ services }) => {
      heard = services.dhcp?.untrusted?.count ?? 0;
    },
  });
  const host = runHost({
    ...common,
    name: "a",
    services,
    store: hostStore(database),
    machineOf: () => memoryMachine(),
    connect: () => place.connect(),
    ...(trusts && { distrust: (body: Uint8Array) => wrongSignature(body, trusts()) }),
  });
  const report = () => serviceReport(hostStore(database).service("dhcp"));
  return {
    served,
    report,
    heard: () => heard,
    put: (name: string, value: string) =>
      directory.put(stored(name, `cn=${name},dc=x`, { objectClass: "device", value })),
    /** Publishes a row as the transcriber would, in an epoch above its own. */
    forge(name: string, by?: SigningKey) {
      const { epoch = 1, asOf = { state: [], clock: 0 } } = report().stored ?? {};
      const head = { trigger: 1, service: "dhcp", epoch: epoch + 1_000_000, seq: 1, asOf };
      const rows = [[name, JSON.stringify({ name, value: "1" })]];
      const body = JSON.stringify({ ...head, kind: "rows", rows, piece: 0, more: false });
      return stranger.publish(serviceKey("dhcp"), by ? signed(body, by) : body);
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await Promise.all([host, transcriber.done]);
      await Promise.all([broker.close(), stranger.close()]);
      database.close();
      await place[Symbol.asyncDispose]();
    },
  };
}
