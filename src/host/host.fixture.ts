import { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import { until } from "../../test/until.ts";
import { Hostname, Ipv4 } from "../core/service/columns.ts";
import {
  type Change,
  type Table as Declaration,
  type RunResult,
  type Service,
  service,
} from "../core/service/service.ts";
import { type CellChange, canonical } from "../core/stream/cells.ts";
import { type AsOf, askMessage, type StreamMessage } from "../core/stream/messages.ts";
import { hostKey, queueName, queueOf, serviceKey } from "../core/stream/routing.ts";
import { Table } from "../core/stream/table.ts";
import { Telling } from "../core/stream/writer.ts";
import type { Columns } from "../core/util/json.ts";
import { type MemoryMachine, memoryMachine } from "../machines/memory.ts";
import { memoryHub } from "../testing/memory-broker.ts";
import { virtualClock } from "../testing/virtual-clock.ts";
import { runHost } from "./host.ts";
import type { HostOptions } from "./options.ts";
import { serviceReport } from "./report.ts";
import { readFacts } from "./store/facts.ts";
import { createAllTables } from "./store/schema.ts";

/** A row of the simulated service, as a cell. */
export const row = (name: string, ip: string): string => canonical({ name, ip });
const start = Date.UTC(2026, 10, 22);

/** A daemon that has what `run` gave it, and a service that gives it: as a live service does, by the changes where it can. */
export function simulatedService(words: Pick<Declaration, "refused"> = {}) {
  const served = new Map<string, Columns>();
  const seen = { runs: 0, changes: [] as (readonly Change<Columns>[] | undefined)[], interrupted: [] as boolean[] };
  const controls: { before?: () => Promise<void> | void; after?: () => Promise<void> | void; result?: RunResult } = {};
  const definition = service({
    row: z.object({ name: Hostname, ip: Ipv4 }),
    unique: ["ip"],
    pace: 1000,
    ...words,
    select: () => undefined,
    async run({ rows, changes, interrupted }) {
      seen.runs += 1;
      seen.changes.push(changes);
      seen.interrupted.push(interrupted);
      await controls.before?.();
      const refused = new Set(controls.result?.refused?.map(({ key }) => key));
      if (!changes) served.clear();
      const moves = changes ?? [...rows.entries()].map(([key, after]) => ({ key, after }));
      for (const { key, after } of moves) {
        if (refused.has(key)) continue;
        if (after) served.set(key, after);
        else served.delete(key);
      }
      await controls.after?.();
      return controls.result;
    },
  });
  return { definition: definition as unknown as Service, served, seen, controls };
}

interface SceneOptions
  extends Pick<
    HostOptions,
    "removalLimit" | "mayEmpty" | "distrust" | "wrongOrderer" | "waveWithin" | "compareDaemon"
  > {
  readonly name?: string;
  readonly machine?: MemoryMachine;
  readonly clock?: ReturnType<typeof virtualClock>;
  readonly sign?: (body: string) => string;
  /** Is shown each answer to the host's questions; one that it says no to is lost. */
  readonly answering?: (answer: StreamMessage) => boolean;
}

/** A transcriber's end of the stream, as small as can be: it answers what the host asks. */
export function scene(
  definition: Service,
  {
    name = "dhcp",
    machine = memoryMachine(),
    clock = virtualClock(start),
    sign = (body) => body,
    answering = () => true,
    ...options
  }: SceneOptions = {},
) {
  const hub = memoryHub();
  const database = new DatabaseSync(":memory:");
  createAllTables(database);
  const logged: string[] = [];
  const speaker = hub.connect();
  const table = new Table(name);
  const telling = new Telling(name, table, { epoch: start * 1000 });
  const asOf = (): AsOf => ({ state: ["20261122000000.000000Z#000000#000#000000"], clock: clock.now() });
  const tell = (message: StreamMessage, key = serviceKey(name)) => speaker.publish(key, sign(JSON.stringify(message)));

  const ready = (async () => {
    await speaker.declare([
      queueOf("a", name, "table" in definition ? "table" : "plain"),
      queueOf("civet", "report", "report"),
    ]);
    await speaker.consume(
      queueName("civet", "report"),
      (delivery) => {
        delivery.ack();
        const asked = askMessage.safeParse(JSON.parse(new TextDecoder().decode(delivery.body)));
        if (!asked.success) return;
        const { want, host } = asked.data;
        const answer =
          typeof want === "object"
            ? telling.part(want.from, want.to, asOf())
            : telling.digest(asOf(), { buckets: want === "buckets" });
        if (answering(answer)) tell(answer, hostKey(name, host));
      },
      { prefetch: 100 },
    );
  })();

  function up(now = { definition, code: "1" }) {
    const stop = new AbortController();
    const connection = hub.connect();
    const running = ready.then(() =>
      runHost({
        ...options,
        name: "a",
        services: new Map([[name, now.definition]]),
        codes: new Map([[name, now.code]]),
        database,
        machineOf: () => machine,
        clock,
        signal: stop.signal,
        connect: async () => connection,
        log: (line) => void logged.push(line),
      }),
    );
    return {
      async down() {
        stop.abort(new Error("down"));
        await running;
      },
      /** As kill -9: what was not acknowledged goes back, and nothing more is stored. */
      async kill() {
        connection.crash();
        stop.abort(new Error("killed"));
        await running.catch(() => {});
      },
    };
  }

  return {
    clock,
    database,
    machine,
    machineOf: () => machine,
    logged,
    up,
    tell,
    telling,
    hub,
    say(changes: readonly CellChange[]) {
      table.apply(changes);
      return Promise.all(telling.rows(changes, asOf()).map((message) => tell(message)));
    },
    /** Says what never arrives. */
    lose(changes: readonly CellChange[]): void {
      table.apply(changes);
      telling.rows(changes, asOf());
    },
    digest: () => tell(telling.digest(asOf())),
    send: (body: unknown, messageId?: string) =>
      speaker.publish(serviceKey(name), JSON.stringify(body), messageId === undefined ? {} : { messageId }),
    report: () => serviceReport(database, name),
    /** The rows that are retained: each key with the reason and its detail. */
    retained: () =>
      database
        .prepare("SELECT key, retained_by, detail FROM row WHERE service = ? AND retained_by IS NOT NULL ORDER BY key")
        .all(name)
        .map(({ key, retained_by: by, detail }) => [key, by, detail]),
    facts: () => readFacts(database, name),
    end: () => database.close(),
  };
}

/** A plain service that notes what it was given. */
export function plainService() {
  const handled: unknown[] = [];
  const controls: { fail?: (body: number) => void } = {};
  const definition = service(z.object({ n: z.number() }), async ({ n }) => {
    controls.fail?.(n);
    handled.push(n);
  });
  return { definition: definition as unknown as Service, handled, controls };
}

/** A host whose service has had its first run, on one row or on these, and may run again at once; it goes down at the end of the scope. */
export async function running(options: SceneOptions = {}, rows: readonly CellChange[] = [["k", row("a", "10.0.0.1")]]) {
  const dhcp = simulatedService();
  const world = scene(dhcp.definition, options);
  await world.say(rows);
  let host = world.up();
  await until(() => dhcp.served.size === rows.length);
  await world.clock.advance(1000);
  return {
    ...world,
    dhcp,
    /** The host is there again, after `kill` or `down`. */
    async again(how: "down" | "kill" = "down") {
      await host[how]();
      host = world.up();
    },
    async [Symbol.asyncDispose]() {
      await host.down();
      world.end();
    },
  };
}
