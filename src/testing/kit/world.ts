import { DatabaseSync } from "node:sqlite";
import type { Service } from "../../core/service/service.ts";
import { CellTable } from "../../core/stream/cell-table.ts";
import type { CellChange } from "../../core/stream/cells.ts";
import { canonical } from "../../core/stream/cells.ts";
import { type AsOf, askMessage, type StreamMessage } from "../../core/stream/messages.ts";
import { hostKey, queueName, queueOf, serviceKey } from "../../core/stream/routing.ts";
import { StreamWriter } from "../../core/stream/transcriber-end.ts";
import { runHost } from "../../host/host.ts";
import { serviceReport } from "../../host/report/report.ts";
import { hostStore } from "../../host/store/host-store.ts";
import { createAllTables } from "../../host/store/schema.ts";
import { memoryHub } from "../memory-broker.ts";
import type { MemoryMachine } from "../memory-machine.ts";
import { virtualClock } from "../virtual-clock.ts";
import { type Crash, databaseOf, Life, machineOf, type Told } from "./life.ts";

/** The host of one service, in memory: the store, the loop and the stream that `trigger up` has. */
export interface World {
  readonly machine: MemoryMachine;
  /** Starts the host's process, which may crash at a moment. */
  up(crash?: Crash): Promise<void>;
  /** Ends the process as kill -9 does, or as a power cut of the machine does. */
  kill(powerCut?: () => number): Promise<void>;
  /** True once the process has ended. */
  readonly dead: boolean;
  /** Sends changes of rows as the transcriber; the message may come twice, or be lost. */
  say(changes: readonly CellChange[], delivery?: Delivery): Promise<void>;
  /** Waits until the host has nothing to do; returns the reason if it does not come to rest. */
  rest(): Promise<string | undefined>;
  /** The rows that are applied, by key. */
  applied(): [key: string, cell: string][];
  /** The rows that wait, each with the reason. */
  waiting(): Waiting[];
  /** Sends a plain message. */
  send(body: unknown): Promise<void>;
  /** The steps of the present life. */
  readonly steps: readonly string[];
  /** The commands of the present life. */
  readonly told: Told[];
  /** The folders that files were written to, in all lives. */
  readonly folders: ReadonlySet<string>;
  readonly now: () => number;
  /** Lets time pass. */
  pass(milliseconds: number): Promise<void>;
  end(): Promise<void>;
}

/** A row that is not applied as it is desired. */
export interface Waiting {
  /** The key of the row. */
  readonly key: string;
  /** The reason, for people. */
  readonly why: string;
}

export type Delivery = "once" | "twice" | "lost";

export interface WorldOptions {
  /** The name of the service. */
  readonly name: string;
  readonly host: string;
  readonly service: Service;
  readonly machine: MemoryMachine;
  /** The time at which the world starts, in milliseconds since 1970. */
  readonly start: number;
}

/** The longest wait until a host has come to rest, in milliseconds of its clock. */
const restLimit = 15 * 60_000;

/** Opens a host whose process does not run yet. */
export function openWorld({ name, host, service: given, machine, start }: WorldOptions): World {
  const clock = virtualClock(start);
  const hub = memoryHub();
  const database = new DatabaseSync(":memory:");
  createAllTables(database);
  const store = hostStore(database).service(name);
  const table = new CellTable(name);
  const stream = new StreamWriter(name, table, { epoch: start * 1000 });
  const transcriber = hub.connect();
  const folders = new Set<string>();
  let running = 0;
  let life = new Life(() => {});
  let process: Promise<void> | undefined;

  const asOf = (): AsOf => ({ state: ["20261122000000.000000Z#000000#000#000000"], clock: clock.now() });
  const tell = (message: StreamMessage, key = serviceKey(name)): Promise<void> =>
    transcriber.publish(key, JSON.stringify(message));
  const form = "table" in given ? "table" : "plain";
  const service: Service =
    "table" in given
      ? { table: { ...given.table, run: (...words) => counted(() => given.table.run(...words)) } }
      : { plain: { ...given.plain, handle: (...words) => counted(() => given.plain.handle(...words)) } };

  async function counted<T>(work: () => Promise<T>): Promise<T> {
    running += 1;
    try {
      return await work();
    } finally {
      running -= 1;
    }
  }

  async function answer(): Promise<void> {
    await transcriber.declare([queueOf(host, name, form), queueOf("transcriber", "report", "report")]);
    await transcriber.consume(
      queueName("transcriber", "report"),
      (delivery) => {
        delivery.ack();
        const asked = askMessage.safeParse(JSON.parse(new TextDecoder().decode(delivery.body)));
        if (!asked.success) return;
        const { want } = asked.data;
        const said =
          typeof want === "object"
            ? stream.part(want.from, want.to, asOf())
            : stream.digest(asOf(), { buckets: want === "buckets" });
        void tell(said, hostKey(name, host));
      },
      { prefetch: 100 },
    );
  }
  const answering = answer();

  const self: World = {
    machine,
    async up(crash) {
      await answering;
      const stop = new AbortController();
      const connection = hub.connect();
      const mine = new Life(
        () => {
          connection.crash();
          stop.abort(new Error("the process was killed"));
        },
        { crash, folders },
      );
      life = mine;
      process = runHost({
        name: host,
        services: new Map([[name, service]]),
        codes: new Map([[name, "1"]]),
        store: hostStore(databaseOf(mine, database)),
        machineOf: () => machineOf(mine, machine),
        clock,
        signal: stop.signal,
        connect: async () => connection,
        log: () => {},
      }).catch((error) => {
        if (!mine.dead) throw error;
      });
    },
    async kill(powerCut) {
      life.kill();
      await process;
      if (powerCut) machine.powerCut(powerCut);
    },
    get dead() {
      return life.dead;
    },
    async say(changes, delivery = "once") {
      if (changes.length === 0) return;
      table.apply(changes);
      const messages = stream.rows(changes, asOf());
      if (delivery === "lost") return;
      for (const message of messages) await tell(message);
      if (delivery === "twice") for (const message of messages) await tell(message);
    },
    async rest() {
      const end = clock.monotonic() + restLimit;
      if (form === "table") await tell(stream.digest(asOf()));
      for (let wait = 0; ; wait = Math.min(wait + 1000, 30_000)) {
        await clock.advance(wait);
        if (life.dead) return undefined;
        const { why, stored, equal, held, heldBy, parked } = serviceReport(store);
        const isCompared = stored?.seq === stream.seq && equal?.seq === stream.seq;
        const compared = form === "table" ? isCompared : hub.look(queueName(host, name)).length === 0;
        if (parked[0]) return `a message is parked: ${parked[0].why}`;
        if (running === 0 && why === undefined && compared) return undefined;
        if (heldBy !== undefined) return held;
        if (clock.monotonic() > end) return why ?? "its run does not end";
      }
    },
    applied: () => [...store.runs.applied().entries()].map(([key, row]) => [key, canonical(row)]),
    waiting: () => serviceReport(store).refused.map(({ key, why }) => ({ key, why })),
    send: (body) => transcriber.publish(serviceKey(name), JSON.stringify(body)),
    get steps() {
      return life.steps;
    },
    get told() {
      return life.told;
    },
    folders,
    now: clock.now,
    pass: clock.advance,
    async end() {
      await self.kill();
      database.close();
    },
  };
  return self;
}
