import { hostname } from "node:os";
import { knownHost } from "../core/config.ts";
import { UserError } from "../core/outcome.ts";
import { up as runHosts } from "../daemon/up.ts";
import { openProject, type Project } from "../project/project.ts";
import { type Command, type Given, projectOption } from "./command.ts";

/** Runs hosts until it is stopped. */
export const up: Command = {
  name: "up",
  summary: "run this host: follow the directory and keep its services in force",
  operands: [],
  options: {
    ...projectOption,
    host: { type: "string", value: "NAME", help: "the host of the config to be (this machine's name)" },
    all: { type: "boolean", help: "be every host of the config, in one process" },
  },
  more: `It runs until SIGINT or SIGTERM; whatever is under way is resumed at the next start, also after kill -9.
The state is kept in the folder that the config calls \`state\` (.trigger).`,
  async run(given, { folder, signal, out, brokerPassword }) {
    const project = await openProject(given.text("project") ?? folder);
    const hosts = hostsToBe(project, given);
    await runHosts(project, { hosts, signal, brokerPassword, log: (line) => out(`${line}\n`) });
    return 0;
  },
};

function hostsToBe({ config, configFile }: Project, given: Given): string[] {
  const named = given.text("host");
  if (given.flag("all")) {
    if (named !== undefined) throw new UserError("--all and --host exclude each other");
    return [...config.hosts.keys()];
  }
  if (named !== undefined) return [knownHost(config, named, configFile)];
  const own = hostname().split(".")[0]?.toLowerCase() ?? "";
  if (config.hosts.has(own)) return [own];
  const known = [...config.hosts.keys()].join(", ");
  throw new UserError(
    `${configFile} has no host ${JSON.stringify(own)}, this machine's name: say --host NAME (known: ${known}) or --all`,
  );
}
