import { hostsOf, knownHost, knownService } from "../core/config/config.ts";
import { type Difference, isSame } from "../core/service/compare.ts";
import { canonical } from "../core/stream/cells.ts";
import { UserError } from "../core/util/errors.ts";
import type { Columns } from "../core/util/json.ts";
import { type ServiceDifference, serviceDifference } from "../daemon/diff.ts";
import { hostsHere } from "../daemon/store-file.ts";
import { loadServices, openProject } from "../project/project.ts";
import { type Command, projectOption } from "./command.ts";
import { notedLines } from "./noted.ts";
import type { Screen } from "./screen.ts";

/** Shows how what is in force on this machine differs from what trigger put there. */
export const diff: Command = {
  name: "diff",
  summary: "how what the daemons of this machine serve differs from a service's rows: hand edits, restored backups",
  operands: ["SERVICE"],
  options: {
    ...projectOption,
    host: { type: "string", value: "HOST", help: "the host (those of the service whose store is on this machine)" },
    json: { type: "boolean", help: "as JSON" },
  },
  more: `It asks the daemon what it really has and compares it with the rows that were loaded; files are compared with what a full run would
write. Nothing is changed, and the host may be up. \`trigger regen SERVICE\` mends what is shown, \`trigger approve SERVICE DIGEST\` lets a held
first take-over go on, by the digest that is shown. What is foreign was not written by trigger and is left alone: \`trigger adopt SERVICE NAME\` takes it over.

Exit codes
  0  the same, but for what is foreign
  1  something differs
  2  the daemon could not be asked`,
  async run({ operands: [name = ""], text, flag }, screen) {
    const project = await openProject(text("project") ?? screen.folder);
    const service = knownService(project.config, name, project.configFile);
    const of = hostsOf(project.config, service);
    const only = text("host");
    if (only !== undefined && !of.includes(knownHost(project.config, only, project.configFile))) {
      throw new UserError(`host ${only} does not run ${service}; these do: ${of.join(", ")}`);
    }
    const hosts = only === undefined ? hostsHere(project.state, of) : [only];
    if (hosts.length === 0) throw new UserError(`none of the hosts of ${service} is on this machine: ${of.join(", ")}`);
    const { services } = await loadServices(project, [service]);
    const definition = services.get(service);
    if (!definition || !("table" in definition)) {
      throw new UserError(`${service} handles plain messages: it has no table to compare with`);
    }
    let level = 0;
    const all: Record<string, ServiceDifference> = {};
    for (const host of hosts) {
      const log = (line: string): void => screen.warn(`${host}: ${line}`);
      const found = await serviceDifference(project, host, service, definition.table, { signal: screen.signal, log });
      all[host] = found;
      const lines = [
        ...differenceLines(found, screen),
        ...removalLines(service, found),
        ...approvalLines(service, found),
      ];
      const same = lines.length === 0 && found.failed === undefined;
      level = Math.max(level, found.failed !== undefined ? 2 : same ? 0 : 1);
      if (!flag("json"))
        screen.lines([headOf(host, service, found, same), ...lines, ...waitingLines(found), ...foreignLines(found)]);
    }
    if (flag("json")) screen.json(all);
    return level;
  },
};

/** Of a long list so many are shown. */
const shownLimit = 200;

function headOf(host: string, service: string, { failed, owed }: ServiceDifference, same: boolean): string {
  const says = failed !== undefined ? `could not be compared: ${failed}` : same ? "the same" : "differs";
  return `${host} ${service}: ${says}${owed ? " (some rows still wait for their run)" : ""}`;
}

function differenceLines({ observed, noted, secret }: ServiceDifference, screen: Screen): string[] {
  if (!observed) return notedLines(noted, secret, screen);
  // The commands of a full run say again what was observed.
  return [
    ...(isSame(observed) ? [] : observedLines(observed)),
    ...notedLines({ ...noted, commands: [] }, secret, screen),
  ];
}

function observedLines({ missing, differs, extra }: Difference): string[] {
  return cut([
    ...missing.map((row) => `  missing  ${canonical(row)}`),
    ...differs.map(
      ({ name, wanted, found }) => `  differs  ${name}: ${canonical(found)}, and ${canonical(wanted)} is wanted`,
    ),
    ...extra.map((row) => `  extra    ${canonical(row)}`),
  ]);
}

function removalLines(service: string, { removals }: ServiceDifference): string[] {
  if (!removals) return [];
  const { digest, rows } = removals;
  const lines = cut(rows.map((row) => `  held     ${canonical(row)}`));
  return [`${rows.length} rows would go; \`trigger approve ${service} ${digest}\` lets them`, ...lines];
}

const approvalLines = (service: string, { inTheWay }: ServiceDifference): string[] =>
  inTheWay === undefined
    ? []
    : [
        `what is there is held; \`trigger approve ${service} ${inTheWay}\` lets it be replaced, or removed where it is not given`,
      ];

const waitingLines = ({ waiting }: ServiceDifference): string[] =>
  cut(
    waiting.map(({ before, after }) => {
      if (before === undefined) return `  waits    ${canonical(after ?? null)} would come`;
      return `  waits    ${canonical(before)} would ${after === undefined ? "go" : `become ${canonical(after)}`}`;
    }),
  );

const foreignLines = ({ observed }: ServiceDifference): string[] =>
  cut((observed?.foreign ?? []).map((row: Columns) => `  foreign  ${canonical(row)}`));

const cut = (lines: string[]): string[] =>
  lines.length <= shownLimit
    ? lines
    : [...lines.slice(0, shownLimit), `  … ${lines.length - shownLimit} more (--json)`];
