import { z } from "zod";
import { UserError } from "../util/errors.ts";
import { unknown } from "../util/nearest.ts";
import { shown } from "../util/shown.ts";

/**
 * The building blocks of the config's schemas. A mistake becomes a sentence with its place and the value found there.
 */

/**
 * Reads a value by its schema. The first mistake is a `UserError` that begins with `source`: the file, or the caller.
 */
export function readOptions<T>(schema: z.ZodType<T>, value: unknown, source: string): T {
  const read = schema.safeParse(value);
  if (read.success) return read.data;
  const { issues } = read.error;
  // The unknown option first: a missing option may just be misspelt.
  const first = issues.find(({ code }) => code === "unrecognized_keys") ?? issues[0];
  throw new UserError(`${source}: ${first?.message}`);
}

/** The schema of an interface: one schema for each of its options, and no other option allowed. */
export function options<T>(schemas: { readonly [Option in keyof T]-?: z.ZodType<T[Option]> }, kind = "{ … }") {
  const error = (issue: Issue): string => {
    if (issue.code !== "unrecognized_keys") return found(kind).error(issue);
    const of = issue.path?.length ? ` of ${placeOf(issue)}` : "";
    return unknown(`option${of}`, issue.keys[0] ?? "", Object.keys(schemas));
  };
  return z.strictObject(schemas, { error }) as unknown as z.ZodType<T>;
}

/** The schema of a map whose names the user chooses, such as services. */
export const named = <T>(schema: z.ZodType<T>, kind = "{ … }") => z.record(z.string(), schema, found(kind));

/** A value that `schema` accepts. For any other, the error names the rule, or is `missing` if there is no value. */
export const expected = <T>(rule: string, schema: z.ZodType<T>, missing?: string) =>
  z.custom<T>((value) => schema.safeParse(value).success, found(rule, missing));

/** A text that is not empty. */
export const text = expected("a text", z.string().min(1));

/** True or false. */
export const yesOrNo = expected("true or false", z.boolean());

/** One of the words of a kind. */
export const oneOf = <const Word extends string>(kind: string, words: readonly Word[]) =>
  text.pipe(z.enum(words, { error: (issue) => `${placeOf(issue)}: ${unknown(kind, String(issue.input), words)}` }));

/**
 * A rule beyond the type of a value, such as one between options. `broken` returns the sentence if the rule is broken.
 */
export const rule = <T>(broken: (value: T, place: string) => string | false | undefined) =>
  z.refine<T>((value) => !broken(value, ""), {
    error: (issue) => broken(issue.input as T, placeOf(issue)) || undefined,
    abort: true,
  });

/** The rule that two options are given together, or neither of them. */
export const together = <T>(one: keyof T & string, other: keyof T & string) =>
  rule<T>((value, place) => {
    const alone = (value[one] === undefined) !== (value[other] === undefined);
    return alone && `${place}.${one} and ${place}.${other} must be given together`;
  });

type Issue = z.core.$ZodRawIssue;

/** The error of a schema for one kind of value. */
export function found(kind: string, missing?: string) {
  const error = (issue: Issue): string =>
    missing && issue.input === undefined
      ? `${placeOf(issue)} is missing: ${missing}`
      : `${placeOf(issue)}: expected ${kind}, found ${seen(issue.input)}`;
  return { error };
}

/** A place in the config as people read it: without indexes, and `hosts.web` as `host web`. */
function placeOf({ path = [] }: Issue): string {
  const place = path.filter((step) => typeof step === "string").join(".");
  return place.replace(/^hosts\./, "host ") || "the config (export default defineConfig({ … }))";
}

/** A value as an error shows it. The part of a URL before its host may be secret, and is masked. */
const seen = (value: unknown): string =>
  shown(typeof value === "string" ? value.replace(/^(?=.*:.*@)([a-z+.-]*:)?.*@/is, "$1//…@") : value);
