import { type ParseArgsOptionsConfig, parseArgs } from "node:util";

/** The options of a command of `npm run`. `--help` prints the usage and ends the process with 0, an option that is none with 2. */
export function readOptions<const Options extends ParseArgsOptionsConfig>(usage: string, options: Options) {
  if (process.argv.slice(2).some((word) => word === "--help" || word === "-h")) {
    console.log(usage);
    process.exit();
  }
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    return misuse(usage, (error as Error).message);
  }
}

/** The whole number that an option is; one that is none, or is less, ends the process with 2. */
export function wholeNumber(usage: string, option: string, text: string, least = 0): number {
  const number = Number(text);
  return text !== "" && Number.isSafeInteger(number) && number >= least
    ? number
    : misuse(usage, `${option} "${text}" is no whole number from ${least} on`);
}

/** Ends the process with 2, saying what is wrong and how it is right. */
export function misuse(usage: string, wrong: string): never {
  console.error(`${wrong}\n\n${usage}`);
  process.exit(2);
}
