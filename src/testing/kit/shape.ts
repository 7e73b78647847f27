/** Characters that end a record, a field or a quotation in one format or another. */
const signs = new Set(" \t\"'`;{}()#,|$:=<>&");

/** The separators that a format itself uses: those of a text that are in none of its values. */
export function separatorsOf(text: string, values: readonly string[]): ReadonlySet<string> {
  let template = text;
  for (const value of [...values].sort((a, b) => b.length - a.length)) {
    if (value !== "") template = template.replaceAll(value, "");
  }
  return new Set([...template].filter((sign) => signs.has(sign)));
}

/** The separators of a shell's script. */
export const shellSeparators: ReadonlySet<string> = signs;

/**
 * The records of a text, one a line, with each word or quotation replaced by `w`: equal shapes show that both values stayed values.
 * A character that the format does not use is part of a word, and a backslash escapes the next character.
 */
export const shapesOf = (text: string, separators: ReadonlySet<string>): string[] =>
  text.split(/\r\n|[\n\r\0]/).map((line) => shapeOf(line, separators));

function shapeOf(line: string, separators: ReadonlySet<string>): string {
  let shape = "";
  const word = (): void => {
    if (!shape.endsWith("w")) shape += "w";
  };
  for (let at = 0; at < line.length; at++) {
    const sign = line[at] ?? "";
    if (sign === "\\") {
      word();
      at += 1;
    } else if ((sign === '"' || sign === "'") && separators.has(sign)) {
      const end = endOfQuotation(line, at);
      if (end === undefined) return `${shape}open`;
      word();
      at = end;
    } else if (!separators.has(sign)) word();
    else if (sign !== " " && sign !== "\t") shape += sign;
    else if (!shape.endsWith(" ")) shape += " ";
  }
  return shape;
}

/** The place of the character that closes a quotation; undefined if it stays open. */
function endOfQuotation(line: string, start: number): number | undefined {
  const quote = line[start];
  for (let at = start + 1; at < line.length; at++) {
    if (line[at] === "\\" && quote === '"') at += 1;
    else if (line[at] === quote) return at;
  }
  return undefined;
}
