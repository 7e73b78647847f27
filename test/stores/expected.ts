import { type CellChange, canonical, refusedCell } from "../../src/core/stream/cells.ts";
import { queueOf } from "../../src/core/stream/routing.ts";
import type { TranscriberState } from "../../src/core/stream/transcriber-state.ts";
import type { StoredReport } from "../../src/host/store/transcriber-notes.ts";
import type { Queue } from "../../src/ports/broker.ts";
import type { EventMessage } from "../../src/ports/directory.ts";

/**
 * The expected content of the stores of each folder: `make.ts` makes it, and `stores.test.ts` checks that it is there.
 */

/** The start and the end of the story of the stores, in milliseconds since 1970. */
export const start = Date.UTC(2027, 0, 15, 12);
export const made = start + 150_000;

/** The removal limit of each service: rows an hour. */
export const removalLimit = 10;

/** The longest wait of changes of the service `wave` for other hosts, in milliseconds. */
export const waveWithin = 60_000;

export const row = (name: string, ip: string): string => canonical({ name, ip });

/** The rows k10 to k49 or a part of them, and their removal. */
export const numbered = (from: number, to: number): CellChange[] =>
  Array.from({ length: to - from }, (_, i) => [`k${from + i}`, row(`m${from + i}`, `10.0.0.${from + i}`)]);
export const without = (from: number, to: number): CellChange[] => numbered(from, to).map(([key]) => [key, null]);

const few: CellChange[] = [
  ["a", row("a", "10.0.0.1")],
  ["b", row("b", "10.0.0.2")],
];
const fortyRows = numbered(10, 50);
const another: CellChange = ["a", row("another", "10.0.0.9")];
const third: CellChange = ["c", row("c", "10.0.0.3")];

/** The rows of each table service that were applied first. */
export const initial: Readonly<Record<string, readonly CellChange[]>> = {
  ...{ person: few, many: fortyRows, approved: fortyRows, allowed: fortyRows, hour: fortyRows, left: few },
  ...{ cut: few, repair: fortyRows, pieces: few, wave: few, doors: few, records: few },
  ...{ found: few, taken: few, mail: few, debt: few, owing: few, units: few, spool: few },
  kinds: ["loaded", "check", "daemon", "directory", "held", "version"].map((name, i) => [
    name,
    row(name, `10.0.0.${i}`),
  ]),
};

/** The later changes of these rows. That of `repair` never arrived, and of `pieces` only the first piece. */
export const later: Readonly<Record<string, readonly CellChange[]>> = {
  person: [another, third],
  many: without(10, 30),
  approved: without(10, 30),
  allowed: without(10, 14),
  hour: without(10, 18),
  cut: [another, third],
  repair: [
    ["k10", row("other10", "10.0.0.10")],
    ["k20", row("other20", "10.0.0.20")],
  ],
  pieces: [another],
  wave: [another],
  doors: [["b", refusedCell("two rows have the address 10.0.0.2")]],
  records: [["b", null]],
  kinds: [
    ["loaded", row("loaded-anew", "10.0.0.0")],
    ["check", row("bad", "10.0.0.1")],
    ["daemon", row("no-room", "10.0.0.2")],
    ["directory", refusedCell("two rows have the address 10.0.0.3")],
    ["held", row("foreign", "10.0.0.4")],
    ["version", canonical({ name: "version", ip: "10.0.0.5", port: 1 })],
    ["never", refusedCell("name: expected a host name")],
  ],
  mail: [["b", row("broken", "10.0.0.2")]],
  debt: [another],
  units: [["a", row("a4", "10.0.0.1")]],
};

/** The change of `cut` that arrived during its run and is not part of it. */
export const meanwhile: CellChange = ["a", row("a-third-name", "10.0.0.10")];

/** The last piece of the change of `pieces`. */
export const lastPiece: CellChange = third;

/** The whole table of a service, as the transcriber has it at the end. */
export function tableOf(service: string): CellChange[] {
  const changes = [...(initial[service] ?? []), ...(later[service] ?? [])];
  if (service === "cut") changes.push(meanwhile);
  if (service === "pieces") changes.push(lastPiece);
  return [...new Map(changes)].filter(([, cell]) => cell !== null);
}

/** The rows of a service that were applied when its host was killed. */
export function current(service: string): CellChange[] {
  const before = [...(initial[service] ?? [])];
  if (["found", "taken"].includes(service)) return [];
  if (["person", "many", "approved", "cut", "pieces", "wave", "mail", "debt"].includes(service)) return before;
  if (service === "doors") return before.slice(0, 1);
  const arrived = (later[service] ?? []).slice(0, ["kinds", "repair"].includes(service) ? 1 : undefined);
  return [...new Map([...before, ...arrived])].filter(([, cell]) => cell !== null);
}

/** The last report of another host. */
export const otherReport: StoredReport = {
  ...{ trigger: 1, kind: "report", host: "b", at: start, heard: start + 1000 },
  services: {
    many: {
      ...{ code: "1", form: "table", rows: 40, doubt: false, serving: true, pending: 0, failing: false },
      ...{ refused: [], refusedCount: 0, parked: [], parkedCount: 0, reloads: [], ranAt: start },
    },
  },
};

/** The report of the host's transcriber on itself. */
export const transcriberState: TranscriberState = {
  ...{
    active: true,
    epoch: start * 1000,
    complete: true,
    entries: 3,
    trouble: "the server is away",
    troubleSince: start,
  },
  verified: { asked: start, differed: 2 },
  events: {
    setAside: { count: 1, newest: { why: "not an event: expected an id", at: start } },
    trouble: "the disk is full",
  },
  services: { many: { rows: 20, refused: 1, refusing: ["k50"], code: "1", behind: false } },
};

const uuid = (n: number): string => `00000000-0000-4000-8000-00000000000${n}`;
const entryOf = (n: number, name: string): string =>
  `dn: cn=${name},dc=campus\nobjectClass: device\ncn: ${name}\nentryUUID: ${uuid(n)}\n`;

/** The content with which the directory was seeded. */
export const ldif = [
  `dn: dc=campus\nobjectClass: domain\ndc: campus\nentryUUID: ${uuid(1)}\n`,
  entryOf(2, "ada"),
  entryOf(3, "bob"),
].join("\n");

const side = (n: number, name: string, more = {}) => ({
  ...{ entryDN: [`cn=${name},dc=campus`], entryUUID: [uuid(n)], cn: [name], ...more },
});

/** The events that were taken: one changes an entry, one removes one, one adds one. */
export const events = [
  ["first", side(2, "ada"), side(2, "ada", { description: ["at the door"] }), { who: "root", why: "a test" }],
  ["second", side(3, "bob"), null, null],
  ["third", null, side(4, "eve", { jpegPhoto: [{ base64: "AAEC/w==" }] }), null],
];

/** A message that is not an event, and was set aside. */
export const notAnEvent: EventMessage = { body: Buffer.from('["?"]'), wrong: "not an event: expected four" };

/** The state of the directory afterwards, and the names in it. */
export const state = "20270115120230.000000Z#000000#000#000000";
export const names = ["cn=ada,dc=campus", "cn=eve,dc=campus", "dc=campus"];

/** The same events on the content of the seed, after which another entry was exported. */
export const reseeded = ["cn=ada,dc=campus", "cn=eve,dc=campus", "cn=zoe,dc=campus", "dc=campus"];
export const newer = `${ldif}\n${entryOf(5, "zoe")}`;

/** The queues of the broker: those of a table and of a plain service, and two that are full. */
export const queues = {
  table: queueOf("a", "kinds", "table"),
  plain: queueOf("a", "notes", "plain"),
  drops: { name: "trigger-b-kinds", keys: ["trigger.kinds"], limit: { messages: 2, bytes: 1000, beyond: "drop" } },
  refuses: { name: "trigger-b-notes", keys: ["trigger.b"], limit: { messages: 2, bytes: 1000, beyond: "refuse" } },
} as const satisfies Record<string, Queue>;

/** The publications, in their order. */
export const publications: readonly { key: string; body: string; messageId?: string }[] = [
  ...["1", "2", "3"].map((body) => ({ key: "trigger.kinds", body })),
  ...["4", "5"].map((body) => ({ key: "trigger.notes.a", body, messageId: `message ${body}` })),
  ...["6", "7"].map((body) => ({ key: "trigger.b", body })),
];
