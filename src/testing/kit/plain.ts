import { z } from "zod";
import type { PlainService } from "../../core/service/service.ts";
import type { TestMachine } from "./case.ts";
import { handling } from "./guard.ts";
import { harmOfCommands, newRecords } from "./hostile.ts";
import { hostileValues } from "./hostile-values.ts";
import type { Crash, Told } from "./life.ts";
import { separatorsOf } from "./shape.ts";
import { differences, type State, stateOf } from "./state.ts";
import { openWorld } from "./world.ts";

/** A service that handles plain messages, and the bodies and settings of its examination. */
export interface PlainCase {
  readonly name: string;
  readonly host: string;
  readonly plain: PlainService<unknown>;
  readonly bodies: readonly unknown[];
  /** The most moments at which a process is killed. */
  readonly crashes: number;
  /** The time at which the examination begins, in milliseconds since 1970. */
  readonly now: number;
  readonly escapes: Set<string>;
  machine(): TestMachine;
}

type PlainRule = (on: PlainCase) => Promise<readonly string[] | undefined>;

interface Ending {
  readonly state: State;
  readonly trouble: string | undefined;
  readonly steps: readonly string[];
  readonly told: readonly Told[];
}

/** Sends messages to a host of its own, one after the other. */
async function send(on: PlainCase, bodies: readonly unknown[], crash?: Crash): Promise<Ending> {
  const machine = on.machine();
  let now = (): number => on.now;
  const seen = { now: () => now(), random: () => 0.5, escaped: (call: string) => void on.escapes.add(call) };
  const plain = { ...on.plain, handle: handling(on.plain.handle, seen) };
  const world = openWorld({ name: on.name, host: on.host, service: { plain }, machine, start: on.now });
  now = world.now;
  await world.up(crash);
  const { steps } = world;
  const told: Told[] = [];
  let trouble: string | undefined;
  for (const body of bodies) {
    await world.send(body);
    trouble ??= await world.rest();
    told.push(...world.told.splice(0));
    if (!world.dead) continue;
    await world.kill();
    await world.up();
    trouble ??= await world.rest();
  }
  await world.end();
  return {
    trouble,
    steps,
    told,
    state: await stateOf(machine, { daemons: machine.daemons?.(), folders: world.folders }),
  };
}

const runs: PlainRule = async (on) => {
  if (on.bodies.length === 0) return ["no body could be made from its schema: give `bodies`"];
  for (const body of on.bodies) {
    const { trouble } = await send(on, [body]);
    if (on.escapes.size > 0) return [`it calls ${[...on.escapes].join(", ")}: a service acts through \`host\` alone`];
    if (trouble !== undefined) return [`the message ${JSON.stringify(body)}: ${trouble}`];
  }
  return undefined;
};

/** A message is handled at least once: a second delivery changes nothing more. */
const idempotent: PlainRule = async (on) => {
  for (const body of on.bodies) {
    const found = differences((await send(on, [body])).state, (await send(on, [body, body])).state, { exact: true });
    if (found.length > 0) return [`the message ${JSON.stringify(body)}, delivered a second time:`, ...found];
  }
  return undefined;
};

const junk: readonly unknown[] = [null, 42, "text", [], { evil: { nested: true } }];

const refusesBadBodies: PlainRule = async ({ plain }) => {
  const taken = junk.filter((body) => plain.schema.safeParse(body).success);
  return taken.length === junk.length
    ? ["its schema accepts every body:", ...taken.map((body) => JSON.stringify(body))]
    : undefined;
};

const convergesAfterACrash: PlainRule = async (on) => {
  for (const body of on.bodies) {
    const expected = await send(on, [body]);
    for (let step = 1; step <= Math.min(expected.steps.length, on.crashes); step++) {
      for (const half of [false, true]) {
        const { state, trouble } = await send(on, [body], { step, half });
        const found = trouble === undefined ? differences(expected.state, state) : [trouble];
        if (found.length === 0) continue;
        const at = `${half ? "in the middle of" : "after"} \`${expected.steps[step - 1]}\``;
        return [`the message ${JSON.stringify(body)}; the process is killed ${at}`, ...found];
      }
    }
  }
  return undefined;
};

const hostileValuesStayInside: PlainRule = async (on) => {
  for (const body of on.bodies) {
    if (typeof body !== "object" || body === null) continue;
    const harmless = await send(on, [body]);
    for (const [member, value] of Object.entries(body)) {
      if (typeof value !== "string") continue;
      for (const [name, hostile] of hostileValues(value)) {
        const given = { ...body, [member]: hostile };
        if (!on.plain.schema.safeParse(given).success) continue;
        const ending = await send(on, [given]);
        // A message that fails is parked, and the next ones are handled.
        if (ending.trouble !== undefined) continue;
        const records = [...harmless.state.files].flatMap(([path, text]) =>
          newRecords(text, ending.state.files.get(path) ?? "", separatorsOf(text, [value])),
        );
        const found = records.length > 0 ? records : harmOfCommands(harmless.told, ending.told, [value, hostile]);
        if (found) return [`${member} with ${name}, ${JSON.stringify(hostile).slice(0, 100)}:`, ...found];
      }
    }
  }
  return undefined;
};

/** The rules of a plain service. */
export const plainRules: readonly (readonly [name: string, says: string, rule: PlainRule])[] = [
  ["runs", "each sample message is handled", runs],
  ["idempotent", "a message that comes twice changes no more than one", idempotent],
  ["bad bodies are refused", "the schema refuses bodies of another form", refusesBadBodies],
  ["hostile values stay inside", "no value becomes a record, a command or a path", hostileValuesStayInside],
  ["converges after a crash at every step", "a restart ends as a message without a crash", convergesAfterACrash],
];

/** A few bodies that a plain service's schema takes, made from the schema itself. */
export function bodiesOf({ schema }: PlainService<unknown>): unknown[] {
  const made = [0, 1].map((variant) =>
    sampleOf(z.toJSONSchema(schema, { unrepresentable: "any", io: "input" }), variant),
  );
  const texts = new Map(made.map((body) => [JSON.stringify(body), body]));
  return [...texts.values()].filter((body) => schema.safeParse(body).success);
}

interface Shape {
  readonly type?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly unknown[];
  readonly properties?: Readonly<Record<string, unknown>>;
  readonly items?: unknown;
  readonly minimum?: number;
}

function sampleOf(given: unknown, variant: number): unknown {
  const shape = (typeof given === "object" && given !== null ? given : {}) as Shape;
  if ("const" in shape) return shape.const;
  const choices = shape.enum ?? shape.anyOf;
  const choice = choices?.[Math.min(variant, choices.length - 1)];
  if (shape.enum) return choice;
  if (shape.anyOf) return sampleOf(choice, variant);
  if (shape.type === "boolean") return variant === 0;
  if (shape.type === "number" || shape.type === "integer") return Math.max(shape.minimum ?? 0, 0) + variant;
  if (shape.type === "array") return [sampleOf(shape.items, variant)];
  if (shape.type === "string") return variant === 0 ? "alice" : "192.0.2.1";
  if (shape.type !== "object") return null;
  return Object.fromEntries(
    Object.entries(shape.properties ?? {}).map(([name, member]) => [name, sampleOf(member, variant)]),
  );
}
