import { readOptions, wholeNumber } from "../options.ts";

const usage = `npm run bench -- [--rows N,N...]   what things cost on this machine, all in one run

  --rows N,N...    the sizes of the tables of its last part (1000,100000)`;
const { rows } = readOptions(usage, { rows: { type: "string", default: "1000,100000" } });

/** The sizes of the tables that `scale.ts` measures. */
export const sizes = rows.split(",").map((size) => wholeNumber(usage, "--rows", size, 1));
