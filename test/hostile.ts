import fc from "fast-check";
import { anyText } from "./any-text.ts";

/** Messages of hostile or broken senders, made from correct ones so that they pass many checks. */

/** Values that a schema may accept and the code behind it may not expect. */
const oddValues = fc.oneof(
  fc.constantFrom<unknown>(
    ...[null, true, 0, -1, 0.5, 2 ** 31, 2 ** 32, 2 ** 52, 2 ** 53 - 1, 2 ** 53, 1e300, -1e300, 8.64e15 + 1, "", "0"],
    ...[
      "__proto__",
      "constructor",
      "\0",
      "\ud800",
      "\udc00a",
      "é\u202e",
      "!",
      "! ",
      "{}",
      "[]",
      "null",
      "{",
      "a/b",
      "/",
    ],
    ...[
      "x".repeat(70_000),
      '{"name":"a","ip":"10.0.0.1","more":1}',
      '{"__proto__":1}',
      [],
      {},
      [[]],
      [null],
      [["k", "{}"]],
    ],
    ...[
      [["k", null]],
      nested(450),
      nested(600),
      `${"[".repeat(20_000)}${"]".repeat(20_000)}`,
      JSON.parse('{"__proto__":{"a":1},"constructor":[]}'),
    ],
  ),
  fc.jsonValue({ maxDepth: 3 }),
  fc.double(),
  anyText({ maxLength: 20 }),
);

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let at = 0; at < depth; at++) value = at % 2 ? [value] : { a: value };
  return value;
}

const edit = fc.record({
  /** The way at each step down into the value. */
  way: fc.array(fc.nat(7), { maxLength: 5 }),
  what: fc.constantFrom("put", "put", "put", "remove", "add", "repeat"),
  name: fc.constantFrom("__proto__", "constructor", "toString", "kind", "service", "0", "x"),
  value: oddValues,
});
type Edit = typeof edit extends fc.Arbitrary<infer T> ? T : never;

/** One of these values, with a few parts replaced, removed, added or repeated. */
export const mutatedJson = (seeds: readonly unknown[]): fc.Arbitrary<unknown> =>
  fc
    .tuple(fc.constantFrom(...seeds), fc.array(edit, { minLength: 1, maxLength: 3 }))
    .map(([seed, edits]) => edits.reduce(mutated, structuredClone(seed)));

function mutated(value: unknown, { way, ...change }: Edit): unknown {
  const [step, ...further] = way;
  if (step === undefined || typeof value !== "object" || value === null) return put(value, change);
  const members = Object.entries(value);
  const [name] = members[step % Math.max(1, members.length)] ?? [];
  if (name === undefined) return put(value, change);
  if (further.length === 0 && change.what === "remove") {
    return Array.isArray(value) ? value.filter((_, at) => `${at}` !== name) : without(value, name);
  }
  const inner = mutated((value as Record<string, unknown>)[name], { way: further, ...change });
  const all = members.map(([key, held]): [string, unknown] => [key, key === name ? inner : held]);
  return Array.isArray(value) ? all.map(([, held]) => held) : Object.fromEntries(all);
}

const without = (value: object, name: string): object =>
  Object.fromEntries(Object.entries(value).filter(([key]) => key !== name));

function put(value: unknown, { what, name, value: odd }: Omit<Edit, "way">): unknown {
  if (what === "add" && Array.isArray(value)) return [...value, odd];
  if (what === "add" && typeof value === "object" && value !== null) {
    return Object.fromEntries([...Object.entries(value), [name, odd]]);
  }
  if (what === "repeat" && Array.isArray(value)) return [...value, ...value];
  return odd;
}

/** A few bytes that are changed, removed or inserted, and the point at which the rest is cut off. */
export const damages = fc.record({
  slips: fc.array(
    fc.record({
      at: fc.nat(),
      gone: fc.nat(6),
      put: fc.oneof(
        fc.uint8Array({ maxLength: 6 }),
        fc.constantFrom(Uint8Array.of(0x80), Uint8Array.of(0x84, 0xff, 0xff, 0xff, 0xff), Uint8Array.of(0x30, 0x80)),
      ),
    }),
    { minLength: 1, maxLength: 6 },
  ),
  cut: fc.option(fc.nat(), { freq: 4 }),
});
export type Damage = typeof damages extends fc.Arbitrary<infer T> ? T : never;

/** The bytes with such damage; `inPlace` moves no byte, so that a file keeps its shape. */
export function damaged(bytes: Uint8Array, { slips, cut }: Damage, { inPlace = false } = {}): Buffer {
  const whole = slips.reduce((held, { at, gone, put }) => {
    const from = at % (held.length + 1);
    return Buffer.concat([held.subarray(0, from), put, held.subarray(from + (inPlace ? put.length : gone))]);
  }, Buffer.from(bytes));
  return cut === null ? whole : whole.subarray(0, cut % (whole.length + 1));
}

/** The bytes of one of these, damaged. */
export const mutatedBytes = (seeds: readonly Uint8Array[]): fc.Arbitrary<Buffer> =>
  fc.tuple(fc.constantFrom(...seeds), damages).map(([seed, damage]) => damaged(seed, damage));

/** Bodies in place of a JSON message: with odd values, with odd bytes, or no JSON at all. */
export const hostileBodies = (seeds: readonly unknown[]): fc.Arbitrary<Uint8Array> => {
  const written = seeds.map((seed) => Buffer.from(JSON.stringify(seed)));
  return fc.oneof(
    { weight: 6, arbitrary: mutatedJson(seeds).map((value) => Buffer.from(JSON.stringify(value) ?? "")) },
    { weight: 2, arbitrary: mutatedBytes(written) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }) },
    { weight: 1, arbitrary: fc.jsonValue().map((value) => Buffer.from(JSON.stringify(value))) },
  );
};

const fuzz = Number(process.env.TRIGGER_FUZZ ?? 1);

/** The number of runs of a property: the usual number, times TRIGGER_FUZZ. */
export const runs = (usual: number): number => Math.ceil(usual * fuzz);

/** The longest time for the runs of a property, in milliseconds: never less than usual, for a busy machine. */
export const runsWithin = (usual: number): number => usual * Math.max(1, fuzz);
