import type { TestContext } from "node:test";
import { z } from "zod";
import type { StoredEntry } from "../core/directory/entry.ts";
import { type Table as Service, service } from "../core/service/service.ts";
import type { CellChange } from "../core/stream/cells.ts";
import { type StreamMessage, streamMessage } from "../core/stream/messages.ts";
import { type Followed, follow, type Want } from "../core/stream/reader.ts";
import type { ReportMessage } from "../core/stream/report.ts";
import { queueName, queueOf, serviceKey } from "../core/stream/routing.ts";
import { Table } from "../core/stream/table.ts";
import type { Broker } from "../ports/broker.ts";
import type { DirectorySource, SourceChange } from "../ports/directory.ts";
import { memoryHub } from "../testing/memory-broker.ts";
import { memoryDirectory } from "../testing/memory-directory.ts";
import { virtualClock } from "../testing/virtual-clock.ts";
import { stored } from "./mirror/entry.fixture.ts";
import { type Transcriber, transcribe } from "./transcriber.ts";

export const midnight = Date.UTC(2026, 5, 1);
const config = {
  timezone: "UTC",
  hosts: new Map([
    ["dhcp1", ["dhcp"]],
    ["dhcp2", ["dhcp"]],
    ["civet", ["event"]],
    ["genet", ["event"]],
  ]),
};
export const { table: dhcp } = service({
  row: z.object({ ip: z.string(), note: z.string().optional() }),
  unique: ["ip"],
  select(machine, directory) {
    const banned = machine.has("until") && directory.during(machine.date("from"), machine.date("until"));
    if (!machine.is("device") || banned) return;
    return { ip: machine.one("ip"), note: machine.maybe("note") };
  },
  async run() {},
});
export const device = (name: string, ip: string, more = {}): StoredEntry =>
  stored(name, `cn=${name},dc=x`, { objectClass: "device", ip, ...more });
export const devices = (count: number): StoredEntry[] =>
  Array.from({ length: count }, (_, index) => device(`m${index}`, `${index}`));

interface Follower {
  readonly table: Table;
  readonly heard: StreamMessage[];
  followed: Followed;
  ask(want: Want): void;
}

/** A network in memory. What a test starts in it is stopped at its end. */
export function network(context: TestContext) {
  const clock = virtualClock(midnight);
  const hub = memoryHub();
  const log: string[] = [];
  const reports: ReportMessage[] = [];
  const ends: (() => Promise<void>)[] = [];
  context.after(async () => {
    for (const end of ends) await end();
  });

  /** A transcriber, with what stops it. */
  function start(
    host: string,
    source: DirectorySource,
    broker: Broker = hub.connect(),
    brokerUser?: string,
  ): Transcriber & { stop(): Promise<void> } {
    const stopping = new AbortController();
    const transcriber = transcribe({
      ...{ host, config, source, broker, brokerUser, clock, signal: stopping.signal },
      services: new Map([["dhcp", dhcp as Service]]),
      codes: new Map([["dhcp", "c0de"]]),
      random: () => (host === "civet" ? 0.5 : 0.6),
      log: (line) => log.push(`${host}: ${line}`),
      onReport: (report) => reports.push(report),
    });
    const stop = async (): Promise<void> => {
      stopping.abort();
      await transcriber.done;
    };
    ends.push(stop);
    return { ...transcriber, stop };
  }

  /** A host that follows the stream with the real rules, and stores nothing. */
  async function host(name: string): Promise<Follower> {
    const broker = hub.connect();
    const say = (message: object): void =>
      void broker.publish(
        serviceKey("report"),
        JSON.stringify({ trigger: 1, host: name, service: "dhcp", ...message }),
      );
    let staged: CellChange[] = [];
    const follower: Follower = {
      table: new Table("dhcp"),
      heard: [],
      followed: {},
      ask: (want) => say({ kind: "ask", want }),
    };
    await broker.declare([queueOf(name, "dhcp", "table")]);
    await broker.consume(
      queueName(name, "dhcp"),
      (delivery) => {
        const message = streamMessage.parse(JSON.parse(new TextDecoder().decode(delivery.body)));
        follower.heard.push(message);
        const { followed, write, ask, refused } = follow(follower.followed, message, follower.table.digest);
        follower.followed = followed;
        if (write?.kind === "stage") staged = write.first ? [...write.rows] : [...staged, ...write.rows];
        if (write?.kind === "rows") follower.table.apply(write.staged ? [...staged, ...write.rows] : write.rows);
        if (write?.kind === "part") follower.table.replace(write.part);
        if (ask) follower.ask(ask);
        if (refused && followed.mark) {
          const { epoch, asOf } = followed.mark;
          say({ kind: "refusal", epoch, asOf, refused: message.epoch, because: refused });
        }
        delivery.ack();
      },
      { prefetch: 10 },
    );
    ends.push(() => broker.close());
    return follower;
  }
  return {
    clock,
    hub,
    log,
    reports,
    start,
    host,
    directory: (entries: StoredEntry[]) => memoryDirectory(entries, clock),
  };
}

/** A directory that says just what a test has it say. */
export function scripted(...first: SourceChange[]): DirectorySource & { say(change: SourceChange): void } {
  const { readable, writable } = new TransformStream<SourceChange, SourceChange>({}, { highWaterMark: 100 });
  const writer = writable.getWriter();
  for (const change of first) void writer.write(change);
  return {
    async *changes(signal) {
      signal.addEventListener("abort", () => void writer.close());
      yield* readable;
    },
    refresh() {},
    say: (change) => void writer.write(change),
  };
}
export const state = (second: number): string[] => [`2026060100000${second}.000000Z#000000#001#000000`];
export const whole = (second: number, entries: StoredEntry[]): SourceChange => ({
  kind: "refresh",
  entries,
  state: state(second),
});

export const cells = ({ table }: Follower) => Object.fromEntries([...table.entries()].sort());
export const kinds = ({ heard }: Follower) => heard.map(({ kind, seq }) => `${kind} ${seq}`);
export const isEqual = ({ followed: { mark, equal } }: Follower): boolean =>
  mark !== undefined && equal?.epoch === mark.epoch && equal.seq === mark.seq;
export const isActive = (transcriber: Transcriber) => transcriber.state().epoch !== undefined;
