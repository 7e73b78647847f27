import type { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import type { Host, InstallSteps, Output } from "../../src/core/service/host-api.ts";
import { type Rows, type Service, service } from "../../src/core/service/service.ts";
import { CellTable } from "../../src/core/stream/cell-table.ts";
import type { CellChange } from "../../src/core/stream/cells.ts";
import { askMessage, type StreamMessage } from "../../src/core/stream/messages.ts";
import { controlService, hostKey, queueName, queueOf, serviceKey } from "../../src/core/stream/routing.ts";
import { StreamWriter } from "../../src/core/stream/transcriber-end.ts";
import { Fatal } from "../../src/core/util/errors.ts";
import type { Columns } from "../../src/core/util/json.ts";
import { runHost } from "../../src/host/host.ts";
import { serviceReport } from "../../src/host/report/report.ts";
import { hostStore } from "../../src/host/store/host-store.ts";
import { memoryHub } from "../../src/testing/memory-broker.ts";
import type { MemoryMachine } from "../../src/testing/memory-machine.ts";
import type { VirtualClock } from "../../src/testing/virtual-clock.ts";
import { simulatedService } from "../fixtures/host.ts";
import { orderTo } from "../fixtures/order.ts";
import { removalLimit, waveWithin } from "./expected.ts";
import { hostName } from "./project.ts";

/** The host of the stores, and the little of a network that it speaks to: services of every kind, each in a plight of its own. */

/** The services whose daemon is in memory, in the order of their names. */
const simulated = ["allowed", "approved", "cut", "doors", "hour", "left", "many", "person", "pieces", "repair", "wave"];

export type World = ReturnType<typeof openWorld>;

interface Options {
  readonly database: DatabaseSync;
  readonly clock: VirtualClock;
  readonly machine: MemoryMachine;
  /** The life of the transcriber. */
  readonly epoch: number;
}

/** Lets a database of a test go without a sync at each commit. */
export function hurry(database: DatabaseSync): void {
  for (const { name } of database.prepare("PRAGMA database_list").all())
    database.exec(`PRAGMA "${name}".synchronous = OFF`);
}

/** Makes what a host runs in. Nothing runs before `up`. */
export function openWorld({ database, clock, machine, epoch }: Options) {
  const store = hostStore(database);
  const hub = memoryHub();
  const speaker = hub.connect();
  const logged: string[] = [];
  const programs = installPrograms(machine);
  const daemons = Object.fromEntries(
    simulated.map((name) => [name, simulatedService(name === "doors" ? { refused: "remove" } : {})]),
  );
  const plain = { notes: plainService(), stubborn: plainService() };
  const records = recordService();
  const definitions = new Map<string, Service>([
    ...simulated.map((name) => [name, daemon(name).definition] as const),
    ...Object.entries(fileServices(programs.serial)),
    ["records", records.definition],
    ...Object.entries(plain).map(([name, { definition }]) => [name, definition] as const),
  ]);
  hurry(database);
  const tables = new Map<string, { table: CellTable; telling: StreamWriter }>();
  for (const [name, definition] of definitions) {
    if (!("table" in definition)) continue;
    const table = new CellTable(name);
    tables.set(name, { table, telling: new StreamWriter(name, table, { epoch }) });
  }
  const controls: { answering(service: string, answer: StreamMessage): boolean } = { answering: () => true };

  function daemon(name: string) {
    const found = daemons[name];
    if (!found) throw new Error(`${name} has no daemon in memory`);
    return found;
  }
  function spoken(name: string) {
    const found = tables.get(name);
    if (!found) throw new Error(`${name} has no table`);
    return found;
  }
  const asOf = () => ({ state: ["20270115120000.000000Z#000000#000#000000"], clock: clock.now() });
  const tell = (name: string, message: object, key = serviceKey(name)) => speaker.publish(key, JSON.stringify(message));

  const ready = (async () => {
    const queues = [...definitions].map(([name, it]) => queueOf(hostName, name, "table" in it ? "table" : "plain"));
    await speaker.declare([
      ...queues,
      queueOf(hostName, controlService, "control"),
      queueOf("civet", "report", "report"),
    ]);
    await speaker.consume(queueName("civet", "report"), hear, { prefetch: 100 });
  })();

  /** Answers what the host asks of a table. */
  function hear({ body, ack }: { readonly body: Uint8Array; ack(): void }): void {
    ack();
    const { data } = askMessage.safeParse(JSON.parse(new TextDecoder().decode(body)));
    if (!data) return;
    const { want, service: name, host } = data;
    const { telling } = spoken(name);
    const answer =
      typeof want === "object"
        ? telling.part(want.from, want.to, asOf(), want.have)
        : telling.digest(asOf(), { buckets: want === "buckets" });
    if (controls.answering(name, answer)) void tell(name, answer, hostKey(name, host));
  }

  /** Runs the host with some of its services. */
  function up(names: readonly string[]) {
    const stop = new AbortController();
    const connection = hub.connect();
    const running = ready.then(() =>
      runHost({
        ...{ name: hostName, store, clock, signal: stop.signal, log: (line) => void logged.push(line) },
        services: new Map([...definitions].filter(([name]) => names.includes(name))),
        codes: new Map(names.map((name) => [name, "1"])),
        machineOf: () => machine,
        removalLimit: () => removalLimit,
        waveWithin: (name) => (name === "wave" ? waveWithin : undefined),
        distrust: (body) =>
          new TextDecoder().decode(body).includes("forged") ? "no trusted key signed it" : undefined,
        compareDaemon: async () => ({ state: "same" }),
        connect: async () => connection,
      }),
    );
    return {
      async down() {
        stop.abort(new Error("down"));
        await running;
      },
    };
  }

  return {
    ...{ database, clock, machine, logged, programs, records, plain, controls, daemon, tell, up },
    services: [...definitions.keys()],
    report: (name: string) => serviceReport(store.service(name)),
    /** A service has had its run and its table compared, or waits for a person. */
    isQuiet(name: string): boolean {
      const facts = store.service(name).readFacts();
      if (!facts || facts.form === "plain") return facts !== undefined;
      const isCompared = facts.followed.equal?.epoch === epoch && !facts.followed.doubt;
      return isCompared && (facts.full === 0 || facts.held !== undefined || facts.fatal !== undefined);
    },
    /** Says a change of a table. */
    async say(name: string, changes: readonly CellChange[]) {
      const { table, telling } = spoken(name);
      table.apply(changes);
      for (const message of telling.rows(changes, asOf())) await tell(name, message);
    },
    /** Says what never arrives. */
    lose(name: string, changes: readonly CellChange[]): void {
      const { table, telling } = spoken(name);
      table.apply(changes);
      telling.rows(changes, asOf());
    },
    digest: (name: string) => tell(name, spoken(name).telling.digest(asOf())),
    /** A table that was not said. */
    has: (name: string, rows: readonly CellChange[]) => spoken(name).table.apply(rows),
    order: (name: string, order: string, more: object = {}) =>
      tell(name, orderTo(hostName, { service: name, order, ...more }, clock.now()), hostKey(controlService, hostName)),
    send: (name: string, body: unknown, messageId?: string) =>
      speaker.publish(serviceKey(name), typeof body === "string" ? body : JSON.stringify(body), {
        ...(messageId !== undefined && { messageId }),
      }),
  };
}

type Answer = Partial<Output> | void | Promise<Partial<Output> | void>;

/** The programs of the machine: `checkd FILE…` refuses texts with "bad", `probed`, and what reloads a service by its name. */
function installPrograms(machine: MemoryMachine) {
  const all = {
    reload: {} as Record<string, () => Answer>,
    probe: (): Answer => {},
    reloaded: [] as string[],
    serial: {} as Record<string, string | undefined>,
  };
  const reload = (name = ""): Answer => {
    all.reloaded.push(name);
    return all.reload[name]?.();
  };
  machine.program("checkd", ({ arguments: names }) => {
    const bad = names.some((name) => machine.text(name)?.includes("bad") !== false);
    return bad ? { code: 1, stderr: "the text is bad" } : {};
  });
  machine.program("reloadd", ({ arguments: [name] }) => reload(name));
  machine.program("systemctl", ({ arguments: [verb, unit] }) => (verb === "restart" ? reload(unit) : { code: 1 }));
  machine.program("probed", () => all.probe());
  return all;
}

const columns = z.strictObject({ name: z.string(), ip: z.ipv4() });
const textOf = (rows: Iterable<Columns>): string => [...rows].map(({ name, ip }) => `${ip} ${name}\n`).join("");

/** The services that install a file. */
function fileServices(serial: Record<string, string | undefined>): Record<string, Service> {
  const fileService = (name: string, steps: InstallSteps, more: { daemon?: { unit: string } } = {}): Service =>
    service({
      ...{ row: columns, unique: ["ip"], select: () => undefined, ...more },
      async run({ rows }, host) {
        await host.install({ path: `/etc/${name}.conf`, text: textOf(rows) }, steps);
        serial[name] = host.memory.get("serial");
        host.memory.set("serial", String(Number(serial[name] ?? 0) + 1));
      },
    }) as unknown as Service;
  const check = ["checkd", "{staged}"] as const;
  return {
    found: fileService("found", { check, reload: ["reloadd", "found"] }),
    taken: fileService("taken", { check, reload: ["reloadd", "taken"] }),
    mail: fileService("mail", { check, reload: ["systemctl", "restart", "mail"] }),
    spool: service({
      ...{ row: columns, unique: ["ip"], select: () => undefined },
      async run({ rows }, host) {
        const files = [...rows].map(({ name, ip }) => ({ path: `/etc/spool/${name}`, text: String(ip) }));
        await host.install(files, { all: true });
      },
    }) as unknown as Service,
    units: fileService("units", { reload: ["systemctl", "restart", "units"] }),
    debt: fileService("debt", { check, reload: ["reloadd", "debt"] }),
    owing: fileService("owing", { reload: ["reloadd", "owing"], probe: ["probed"] }, { daemon: { unit: "owing" } }),
    kinds: service({
      ...{ row: columns, unique: ["ip"], select: () => undefined },
      run: runKinds,
    }) as unknown as Service,
  };
}

/** A daemon that has no room for names in "no-", and whose names in "foreign" belong to foreign records. */
async function runKinds({ rows }: { readonly rows: Rows<Columns> }, host: Host) {
  const named = (begin: string) => [...rows.entries()].filter(([, { name }]) => String(name).startsWith(begin));
  const others = [...rows].filter(({ name }) => !/^(no-|foreign)/.test(String(name)));
  await host.install({ path: "/etc/kinds.conf", text: textOf(others) }, { check: ["checkd", "{staged}"] });
  return {
    refused: named("no-").map(([key]) => ({ key, why: "there is no room for it" })),
    held: named("foreign").map(([key]) => ({ key, why: "a record of somebody else has its name" })),
  };
}

/** A service that writes records beside those of others: it claims those of its rows, and gives up the rest. */
function recordService() {
  const seen: { ours: string[]; gone: boolean; changed: boolean }[] = [];
  const definition = service({
    ...{ row: columns, unique: ["name"], shared: true, select: () => undefined },
    async run({ rows }, { owned }) {
      seen.push({
        ours: [...owned.names()].sort(),
        gone: owned.has("b", "the record of b"),
        changed: owned.has("b", "another record of b"),
      });
      const names = [...rows].map(({ name }) => String(name));
      owned.claim(names);
      const gone = [...owned.names()].filter((name) => !names.includes(name));
      owned.release(gone.map((name) => [name, `the record of ${name}`]));
    },
  }) as unknown as Service;
  return { definition, seen };
}

/** A plain service that notes what it handled; it gives up what `gives` says, and fails at what `fails` says. */
function plainService() {
  const all = { handled: [] as number[], gives: new Set<number>(), fails: new Set<number>() };
  const definition = service(z.object({ n: z.number() }), async ({ n }) => {
    if (all.gives.has(n)) throw new Fatal(`${n} cannot be handled`);
    if (all.fails.has(n)) throw new Error(`${n} fails`);
    all.handled.push(n);
  }) as unknown as Service;
  return { definition, ...all };
}
