/** Values that try to break out of their place, made from a good value; each with a name for people. */
export const hostileValues = (good: string): readonly (readonly [name: string, value: string])[] => [
  ["a newline", `${good}\nevil`],
  ["a carriage return", `${good}\r\nevil`],
  ["a NUL", `${good}\0evil`],
  ["a space", `${good} evil`],
  ["a tab", `${good}\tevil`],
  ["a double quote", `${good}"; evil "`],
  ["a single quote", `${good}'; evil '`],
  ["a semicolon", `${good};evil`],
  ["braces", `${good} } evil {`],
  ["a comma", `${good},evil`],
  ["a colon", `${good}:evil`],
  ["a comment", `#${good}`],
  ["a pipe", `|evil ${good}`],
  ["a command", `${good}$(evil)`],
  ["a command in backquotes", `${good}\`evil\``],
  ["an equals sign", `${good}=evil`],
  ["a backslash at the end", `${good}\\`],
  ["an option", `-${good}`],
  ["a path", `../../etc/${good}`],
  ["a path behind it", `${good}/../../../etc/evil`],
  ["two dots", ".."],
  ["5,000 characters", good.padEnd(5_000, "x")],
  ["full-width letters", [...good].map((letter) => (/[!-~]/.test(letter) ? wide(letter) : letter)).join("")],
  ["a line separator", `${good}\u2028evil`],
];

const wide = (letter: string): string => String.fromCharCode(letter.charCodeAt(0) + 0xfee0);
