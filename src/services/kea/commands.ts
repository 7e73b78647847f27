import { z } from "zod";
import type { Json } from "../../core/util/json.ts";
import { type Answer, done } from "./control.ts";
import { type PlacedMove, placeMoves } from "./moves.ts";
import { type Content, contents, nameOf, reservationOf } from "./reservation.ts";
import { byConfigSet } from "./set.ts";
import { holders, type Kea, type Way } from "./ways.ts";

/** The least number of changed reservations that one config-set writes together, rather than one command each. */
const many = 200;
/** Reservations in a page of an answer. */
const pageSize = 1000;

const host = z.object({ "subnet-id": z.int() }).catchall(z.custom<Json>());
const hosts = z.object({
  hosts: z.array(host).default([]),
  next: z.object({ from: z.number(), "source-index": z.number() }).optional(),
});
type Page = z.output<typeof hosts>;

/**
 * The way of the host commands (libdhcp_host_cmds.so): the cost of a change does not depend on the number of
 * reservations. A Kea with a hosts database keeps them there; one without keeps them in its running configuration, which is
 * then written.
 */
export function byHostCommands(kea: Kea): Way {
  const { config, control, by, family } = kea;
  const inDatabase = config.databases.length > 0;
  const inConfig = new Set(config.reservations.map(([name]) => name));
  const targetOf = (name: string): object =>
    inDatabase ? (inConfig.has(name) ? { "operation-target": "all" } : {}) : { "operation-target": "memory" };

  const read = (command: string, answer: Answer): Page => {
    if (answer.result !== 3) done(command, answer); // 3: there is none
    return hosts.parse(answer.arguments ?? {});
  };
  const named = ({ hosts }: Page) =>
    hosts.map((one) => [nameOf(one, by), config.contentOf(one, one["subnet-id"])] as const);

  const list = async function* (command: string, each: Iterable<object>) {
    for (const one of each) yield* named(read(command, await control.ask(command, one)));
  };
  const all = async () => {
    const found: (readonly [string, Content])[] = [];
    for (let from: object = {}; ; ) {
      const command = "reservation-get-page";
      const page: Page = read(command, await control.ask(command, { limit: pageSize, ...from }));
      found.push(...named(page));
      if (!page.next || page.hosts.length === 0) return found;
      from = page.next;
    }
  };

  const remove = async (name: string, content: Content): Promise<void> => {
    const { also = [], ip, subnet } = content;
    const place = ip === undefined ? undefined : config.placeOf(ip);
    const id = subnet ?? (place && "id" in place ? place.id : 0);
    const [type, identifier] = name.includes(" ") ? name.split(" ") : [by, name];
    const client = { "subnet-id": id, "identifier-type": type, identifier };
    const { result, text } = await control.tell("reservation-del", { ...client, ...targetOf(name) }, [`- ${name}`]);
    if (result !== 0 && !/not found/i.test(text)) throw new Error(`Kea's reservation-del of ${name}: ${text}`);
    for (const other of also) await remove(name, other);
  };
  const add = async ({ to }: Pick<PlacedMove, "to">): Promise<Answer> => {
    const target = inDatabase ? {} : { "operation-target": "memory" };
    const reservation = { "subnet-id": to?.id, ...to?.reservation };
    return control.tell("reservation-add", { reservation, ...target }, [`+ ${JSON.stringify(reservation)}`]);
  };
  /** Adds the earlier reservation again after its replacement was refused. */
  const restore = async ({ name, before }: PlacedMove): Promise<void> => {
    const place = before?.ip === undefined ? undefined : config.placeOf(before.ip);
    if (before && place && "id" in place) {
      await add({ to: { id: place.id, reservation: reservationOf(name, before, by, family) } });
    }
  };

  return {
    keep: inDatabase ? async () => {} : kea.keep,
    async look(names) {
      if (!inDatabase) return contents(config.reservations);
      if (names === undefined) return contents(await all());
      const each = [...names].map((identifier) => ({ "identifier-type": by, identifier }));
      return contents(await Array.fromAsync(list("reservation-get-by-id", each)));
    },
    async write(moves) {
      if (!inDatabase && moves.length >= many) return byConfigSet(kea).write(moves);
      const refused = new Map<string, string>();
      const asked = moves.flatMap(({ after }) => (after?.ip === undefined ? [] : [{ "ip-address": after.ip }]));
      const there = inDatabase ? await Array.fromAsync(list("reservation-get-by-address", asked)) : config.reservations;
      const placed = placeMoves(moves, kea, holders(there), refused);
      for (const { name, before } of placed) if (before) await remove(name, before);
      for (const move of placed) {
        const { result, text } = move.to ? await add(move) : { result: 0, text: "" };
        if (result === 0) continue;
        refused.set(move.name, text);
        await restore(move);
      }
      if (!inDatabase || placed.some(({ name }) => inConfig.has(name))) await kea.keep();
      return refused;
    },
  };
}
