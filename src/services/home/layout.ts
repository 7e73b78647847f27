import { UserError } from "../../core/util/errors.ts";

/** The places of homes below their base: patterns of paths, such as `students/*`. */
export interface HomeLayout {
  /** True if a home may be at this path, given as names below the base. */
  fits(names: readonly string[]): boolean;
}

/**
 * Reads patterns of paths below the base: names in which `*` stands for any characters and `?` for one. A path above
 * another home fits none, so no home contains another. Throws a `UserError` for two patterns of which one is above the
 * other, because then none of its homes would fit.
 */
export function homeLayout(patterns: readonly string[]): HomeLayout {
  const read = patterns.map((pattern) => pattern.split("/"));
  const above = read.flatMap((names) => names.slice(1).map((_, index) => names.slice(0, index + 1)));
  const clash = read.find((names) => above.some((one) => one.join("/") === names.join("/")));
  if (clash) throw new UserError(`homes: layout: ${clash.join("/")} is above the homes of another pattern`);
  const tests = (all: readonly (readonly string[])[]) => all.map((names) => names.map(regexOf));
  const [homes, folders] = [tests(read), tests(above)];
  const matches = (names: readonly string[]) => (pattern: readonly RegExp[]) =>
    pattern.length === names.length && pattern.every((one, index) => one.test(names[index] ?? ""));
  return { fits: (names) => homes.some(matches(names)) && !folders.some(matches(names)) };
}

function regexOf(pattern: string): RegExp {
  const text = pattern.replace(/[.+\\^$(){}|[\]]/g, "\\$&");
  return new RegExp(`^${text.replaceAll("*", ".*").replaceAll("?", ".")}$`);
}
