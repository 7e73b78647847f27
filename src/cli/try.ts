import { knownService } from "../core/config/config.ts";
import { masked } from "../core/service/secret.ts";
import { isRefused, refusalOf } from "../core/stream/cells.ts";
import { UserError } from "../core/util/errors.ts";
import { computeTables, type Tables } from "../operations/compute-tables.ts";
import { openProject } from "../project/project.ts";
import { type Command, projectOption } from "./command.ts";

/** Shows the rows that a service computes from the directory, and why. */
export const tryService: Command = {
  name: "try",
  summary: "the rows and refusals of a service, the entries that they depend on, and when time changes them",
  operands: ["SERVICE"],
  options: { ...projectOption, entry: { type: "string", short: "e", value: "DN", help: "only this entry, and why" } },
  more: `It reads the directory and the service's file, and publishes nothing.

Exit codes
  0  no row is refused
  1  some rows are refused`,
  async run({ operands: [name = ""], text }, { folder, lines: print }) {
    const project = await openProject(text("project") ?? folder);
    const service = knownService(project.config, name, project.configFile);
    const tables = await computeTables(project, Date.now(), [service]);
    if (!tables.services.has(service)) throw new UserError(`${service} handles plain messages: it has no table`);
    const entry = text("entry");
    const { lines, refused } = entry === undefined ? whole(tables, service) : one(tables, service, entry);
    print(lines);
    return refused > 0 ? 1 : 0;
  },
};

interface Shown {
  readonly lines: string[];
  readonly refused: number;
}

function whole(tables: Tables, service: string): Shown {
  const { transcription } = tables;
  const rows = [...transcription.table(service).entries()].filter(([, cell]) => !isRefused(cell));
  const refused = [...transcription.refused(service)].sort((a, b) => (a.dn < b.dn ? -1 : 1));
  const next = transcription.nextTime();
  const lines = [
    ...rows.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, cell]) => `${key}  ${shown(tables, service, cell)}`),
    ...refused.map(({ dn, why }) => `refused  ${dn}: ${why}`),
    `${rows.length} ${rows.length === 1 ? "row" : "rows"}, ${refused.length} refused${next === undefined ? "" : `; time changes a row on ${date(next)}`}`,
  ];
  return { lines, refused: refused.length };
}

function one(tables: Tables, service: string, dn: string): Shown {
  const { dn: name, cells, reads, next } = tables.transcription.explain(service, dn);
  const lines = [
    name,
    ...(cells.length === 0 ? ["  no row"] : []),
    ...cells.map(
      ([key, cell]) =>
        `  ${isRefused(cell) ? `refused: ${refusalOf(cell)}` : `row ${key}  ${shown(tables, service, cell)}`}`,
    ),
    ...reads.map((read) => `  read ${read}`),
    `  ${next === undefined ? "time does not change it" : `it is computed again on ${date(next)}`}`,
  ];
  return { lines, refused: cells.filter(([, cell]) => isRefused(cell)).length };
}

const shown = (tables: Tables, service: string, cell: string): string =>
  JSON.stringify(masked(JSON.parse(cell), tables.services.get(service)?.secret));

const date = (milliseconds: number): string => new Date(milliseconds).toISOString();
