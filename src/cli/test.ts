import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { hostsOf, knownService, servicesOf } from "../core/config/config.ts";
import { eventService } from "../core/stream/routing.ts";
import { reason, UserError } from "../core/util/errors.ts";
import { readDirectoryOnce } from "../daemon/directory.ts";
import { loadServices, openProject } from "../project/project.ts";
import { type Command, projectOption } from "./command.ts";

/** Examines services with the conformance kit. */
export const testServices: Command = {
  name: "test",
  summary: "drive services through generated histories and crashes, in memory, and say which rules they break",
  operands: ["[SERVICE…]"],
  options: {
    ...projectOption,
    directory: { type: "string", value: "FILE", help: "sample entries (LDIF) in place of the directory of the config" },
    host: { type: "string", value: "NAME", help: "the host whose settings count (the first one with the service)" },
    machine: {
      type: "string",
      value: "FILE",
      help: "a module that makes the machine: the daemons that the service speaks to",
    },
    seed: {
      type: "string",
      value: "NUMBER",
      help: "the seed of the histories: an equal seed gives equal histories (1)",
    },
  },
  more: `Without a name every service of the config is examined. The directory is read and gives the sample entries; no host, daemon or
file is touched: the service runs on a machine in memory, where programs that it does not know exit 0 in silence.

Exit codes
  0  every rule is kept
  1  some are broken: each is shown with a history that breaks it
  2  there is no such service, or a service does not run on the samples at all`,
  async run({ operands, text }, { folder, say, lines, paint }) {
    const seed = numberOf(text("seed") ?? "1");
    const project = await openProject(text("project") ?? folder);
    const { config, configFile } = project;
    const names =
      operands.length > 0
        ? operands.map((name) => knownService(config, name, configFile))
        : [...servicesOf(config)].filter((name) => name !== eventService);
    // Imported on demand: only this command needs the test kit.
    const { examine, ldifEntries, sayVerdict } = await import("../testing/command.ts");
    const file = text("directory");
    const entries =
      file === undefined ? (await readDirectoryOnce(project)).entries : ldifEntries(resolve(folder, file));
    const { services } = await loadServices(project, names);
    const made = text("machine");
    const machine = made === undefined ? {} : await machineIn(resolve(folder, made));
    let broken = 0;
    let unexamined = false;
    for (const [name, service] of services) {
      const host = text("host") ?? hostsOf(config, name)[0] ?? "host";
      say(`${name} on ${host}`);
      const options = { name, host, entries, seed, timezone: config.timezone, ...machine };
      for await (const verdict of examine(service, options)) {
        const [first = "", ...rest] = sayVerdict(verdict);
        lines([verdict.passed ? first : paint("red", first), ...rest]);
        broken += Number(!verdict.passed);
        unexamined ||= verdict.name === "runs" && !verdict.passed;
      }
    }
    if (broken > 0)
      say(`${broken === 1 ? "1 rule is" : `${broken} rules are`} broken; the same histories: --seed ${seed}`);
    return unexamined ? 2 : broken > 0 ? 1 : 0;
  },
};

type Options = import("../testing/command.ts").ConformanceOptions;

/** The machine that a module makes: a function as its default export, and optionally the meaning of files there. */
async function machineIn(file: string): Promise<Pick<Options, "machine" | "meaning">> {
  const { default: machine, meaning } = await import(pathToFileURL(file).href).catch((error) => {
    throw new UserError(`${file}: ${reason(error)}`);
  });
  if (typeof machine !== "function")
    throw new UserError(`${file}: its default export is no function that makes a machine`);
  return { machine, meaning };
}

function numberOf(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new UserError(`--seed: expected a number, found ${JSON.stringify(text)}`);
}
