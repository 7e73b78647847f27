import { knownService } from "../core/config/config.ts";
import { type Difference, isSame } from "../core/service/compare.ts";
import { canonical } from "../core/stream/cells.ts";
import { UserError } from "../core/util/errors.ts";
import type { Columns } from "../core/util/json.ts";
import { type ServiceDifference, serviceDifference } from "../daemon/diff.ts";
import { hostsHere } from "../daemon/store-file.ts";
import { chosenHosts } from "../operations/chosen-hosts.ts";
import { loadServices, openProject } from "../project/project.ts";
import { type Command, projectOption } from "./command.ts";
import { notedLines } from "./noted.ts";
import type { Screen } from "./screen.ts";

/** Shows the differences between the content of this machine's daemons and the rows of a service. */
export const diff: Command = {
  name: "diff",
  summary:
    "the differences between what this machine's daemons serve and a service's rows: hand edits, restored backups",
  operands: ["SERVICE"],
  options: {
    ...projectOption,
    host: { type: "string", value: "HOST", help: "the host (those of the service whose store is on this machine)" },
    json: { type: "boolean", help: "as JSON" },
  },
  more: `It reads the real content of the daemon and compares it with the applied rows. It compares files with the output of a
full run. It changes nothing, and the host may be up. \`trigger regen SERVICE\` repairs the differences.
\`trigger approve SERVICE DIGEST\` lets a held first take-over continue, by the digest in the output. Foreign things are
those that trigger did not write. It leaves them alone: \`trigger adopt SERVICE NAME\` takes one over.

Exit codes
  0  the same, apart from foreign things
  1  something differs
  2  the daemon could not be asked`,
  async run({ operands: [word = ""], text, flag }, screen) {
    const project = await openProject(text("project") ?? screen.folder);
    const service = knownService(project.config, word, project.configFile);
    const name = text("host");
    const chosen = chosenHosts(project, service, name);
    const hosts = name === undefined ? hostsHere(project.state, chosen) : chosen;
    if (hosts.length === 0) {
      throw new UserError(`none of the hosts of ${service} is on this machine: ${chosen.join(", ")}`);
    }
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
        screen.lines([headOf(host, service, found, same), ...lines, ...pendingLines(found), ...foreignLines(found)]);
    }
    if (flag("json")) screen.json(all);
    return level;
  },
};

/** The most lines of a list that are shown. */
const shownLimit = 200;

function headOf(host: string, service: string, { failed, pending }: ServiceDifference, same: boolean): string {
  const says = failed !== undefined ? `could not be compared: ${failed}` : same ? "the same" : "differs";
  return `${host} ${service}: ${says}${pending ? " (some rows are pending)" : ""}`;
}

function differenceLines({ observed, noted, secret }: ServiceDifference, screen: Screen): string[] {
  if (!observed) return notedLines(noted, secret, screen);
  // The commands of a full run would repeat the observed differences.
  return [
    ...(isSame(observed) ? [] : observedLines(observed)),
    ...notedLines({ ...noted, commands: [] }, secret, screen),
  ];
}

function observedLines({ missing, differs, extra }: Difference): string[] {
  return cut([
    ...missing.map((row) => `  missing  ${canonical(row)}`),
    ...differs.map(
      ({ name, wanted, found }) => `  differs  ${name}: ${canonical(found)}, expected ${canonical(wanted)}`,
    ),
    ...extra.map((row) => `  extra    ${canonical(row)}`),
  ]);
}

function removalLines(service: string, { removals }: ServiceDifference): string[] {
  if (!removals) return [];
  const { digest, rows } = removals;
  const lines = cut(rows.map((row) => `  held     ${canonical(row)}`));
  return [`${rows.length} rows would be removed: \`trigger approve ${service} ${digest}\` allows it`, ...lines];
}

const approvalLines = (service: string, { conflict }: ServiceDifference): string[] =>
  conflict === undefined
    ? []
    : [
        `held for a conflict: \`trigger approve ${service} ${conflict}\` lets trigger replace the things there, or remove those without a row`,
      ];

const pendingLines = ({ waiting }: ServiceDifference): string[] =>
  cut(
    waiting.map(({ before, after }) => {
      if (before === undefined) return `  pending  ${canonical(after ?? null)} would be added`;
      return `  pending  ${canonical(before)} would ${after === undefined ? "be removed" : `become ${canonical(after)}`}`;
    }),
  );

const foreignLines = ({ observed }: ServiceDifference): string[] =>
  cut((observed?.foreign ?? []).map((row: Columns) => `  foreign  ${canonical(row)}`));

const cut = (lines: string[]): string[] =>
  lines.length <= shownLimit
    ? lines
    : [...lines.slice(0, shownLimit), `  … ${lines.length - shownLimit} more (--json)`];
