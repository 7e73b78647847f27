/** A value as JSON carries it. A member that is undefined does not travel. */
export type Json = string | number | boolean | null | undefined | readonly Json[] | { readonly [name: string]: Json };
/** The columns of a row by name. */
export type Columns = { readonly [column: string]: Json };

/** The deepest nesting that is read: the checks of a value recurse into it, and the stack is finite. */
const deepest = 500;

/**
 * The most commas that are read. A schema names each wrong value, which takes a hundred times the memory of the value.
 * A group of 200,000 members fits.
 */
const mostCommas = 500_000;

/**
 * Reads JSON in UTF-8 from an untrusted source. Throws an error that names the fault, also for nesting or numbers of
 * values beyond any use.
 */
export function readJson(bytes: Uint8Array): unknown {
  // Checked before it is parsed: megabytes of brackets keep a parser busy for seconds.
  const absurd = absurdityOf(bytes);
  if (absurd) throw new Error(absurd);
  return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
}

function absurdityOf(bytes: Uint8Array): string | undefined {
  let depth = 0;
  let commas = 0;
  let inText = false;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === quote) inText = !inText;
    else if (inText) {
      if (byte === backslash) at++;
    } else if (byte === comma) {
      if (++commas > mostCommas) return `more than ${mostCommas} values`;
    } else if (byte === bracket || byte === brace) {
      if (++depth > deepest) return `lists and objects more than ${deepest} deep`;
    } else if (byte === bracketEnd || byte === braceEnd) depth--;
  }
  return undefined;
}

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const bracket = 0x5b;
const bracketEnd = 0x5d;
const brace = 0x7b;
const braceEnd = 0x7d;
