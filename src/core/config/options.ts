import { z } from "zod";
import { UserError } from "../util/errors.ts";
import { unknown } from "../util/nearest.ts";
import { shown } from "../util/shown.ts";

/** The words in which the schemas of the config are written. A mistake is a sentence with its place and the value there. */

/** Reads a value by its schema. The first mistake is a `UserError` behind `source`: the file, or who gave the value. */
export function readOptions<T>(schema: z.ZodType<T>, value: unknown, source: string): T {
  const read = schema.safeParse(value);
  if (read.success) return read.data;
  const { issues } = read.error;
  // First the unknown option: one that is missing may just be misspelt.
  const first = issues.find(({ code }) => code === "unrecognized_keys") ?? issues[0];
  throw new UserError(`${source}: ${first?.message}`);
}

/** The options of an interface: a schema for each of them, and for no other. */
export function options<T>(schemas: { readonly [Option in keyof T]-?: z.ZodType<T[Option]> }, kind = "{ … }") {
  const error = (issue: Issue): string => {
    if (issue.code !== "unrecognized_keys") return found(kind).error(issue);
    const of = issue.path?.length ? ` of ${placeOf(issue)}` : "";
    return unknown(`option${of}`, issue.keys[0] ?? "", Object.keys(schemas));
  };
  return z.strictObject(schemas, { error }) as unknown as z.ZodType<T>;
}

/** Options that the config names itself, such as services. */
export const named = <T>(schema: z.ZodType<T>, kind = "{ … }") => z.record(z.string(), schema, found(kind));

/** A value that `schema` takes. Of any other the rule is said, or `missing` where there is none. */
export const expected = <T>(rule: string, schema: z.ZodType<T>, missing?: string) =>
  z.custom<T>((value) => schema.safeParse(value).success, found(rule, missing));

/** A text that is not empty. */
export const text = expected("a text", z.string().min(1));

/** True or false. */
export const yesOrNo = expected("true or false", z.boolean());

/** One of the words of a kind. */
export const oneOf = <const Word extends string>(kind: string, words: readonly Word[]) =>
  text.pipe(z.enum(words, { error: (issue) => `${placeOf(issue)}: ${unknown(kind, String(issue.input), words)}` }));

/** A rule beyond the kind of a value, such as one between options. `broken` gives the sentence where it is not kept. */
export const rule = <T>(broken: (value: T, place: string) => string | false | undefined) =>
  z.refine<T>((value) => !broken(value, ""), {
    error: (issue) => broken(issue.input as T, placeOf(issue)) || undefined,
    abort: true,
  });

/** The rule of two options that stand both or neither. */
export const together = <T>(one: keyof T & string, other: keyof T & string) =>
  rule<T>((value, place) => {
    const alone = (value[one] === undefined) !== (value[other] === undefined);
    return alone && `${place}.${one} and ${place}.${other} go together`;
  });

type Issue = z.core.$ZodRawIssue;

/** The error of a schema that takes one kind of value. */
export function found(kind: string, missing?: string) {
  const error = (issue: Issue): string =>
    missing && issue.input === undefined
      ? `${placeOf(issue)} is missing: ${missing}`
      : `${placeOf(issue)}: expected ${kind}, found ${seen(issue.input)}`;
  return { error };
}

/** A place in the config as people read it: an index says nothing, and `hosts.web` is a host. */
function placeOf({ path = [] }: Issue): string {
  const place = path.filter((step) => typeof step === "string").join(".");
  return place.replace(/^hosts\./, "host ") || "the config (export default defineConfig({ … }))";
}

/** A value as a mistake shows it. What stands before the host of a url may be secret. */
const seen = (value: unknown): string =>
  shown(typeof value === "string" ? value.replace(/^(?=.*:.*@)([a-z+.-]*:)?.*@/is, "$1//…@") : value);
