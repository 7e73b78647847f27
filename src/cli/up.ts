import { hostname } from "node:os";
import { knownHost, transcribersOf } from "../core/config/config.ts";
import { UserError } from "../core/util/errors.ts";
import { type DryRun, dryProject } from "../daemon/dry-run.ts";
import { up as runHosts } from "../daemon/up.ts";
import { openProject, type Project } from "../project/project.ts";
import { type Arguments, type Command, projectOption } from "./command.ts";
import { notedLines } from "./noted.ts";
import { recordLines } from "./screen.ts";

/** Runs hosts until a signal stops the process. */
export const up: Command = {
  name: "up",
  summary: "run this host: follow the directory and apply it to its services",
  operands: [],
  options: {
    ...projectOption,
    host: {
      type: "string",
      value: "NAME",
      help: "the host of the config that this process runs (this machine's name)",
    },
    all: { type: "boolean", help: "run every host of the config, in one process" },
    dry: { type: "boolean", help: "follow the directory, show the changes it would make, and write nothing" },
  },
  more: `It runs until SIGINT or SIGTERM. Unfinished work is resumed at the next start, also after kill -9.
With --dry it reads the directory itself, uses no broker that others use, and may run beside a host that is not dry. After
each change it shows the changes that it would make, the files that it would hold, and the rows that it would refuse or
hold.
The state is kept in the folder that the config calls \`state\` (.trigger).`,
  async run(args, screen) {
    const { folder, signal, lines: print, brokerPassword } = screen;
    const project = await openProject(args.text("project") ?? folder);
    const hosts = hostsToRun(project, args);
    const log = (record: string): void => print(recordLines(record));
    if (args.flag("dry")) {
      const show = (host: string, service: string, { noted, secret, retained, retainedCount }: DryRun): void => {
        const lines = notedLines(noted, secret, screen);
        const more = retainedCount - retained.length;
        const rows = retained.map(({ key, why }) => `would not apply ${key}: ${why}`);
        const head = `${host}: ${service} ${lines.length > 0 ? "would change:" : "would change nothing"}`;
        print(["", head, ...lines, ...rows, ...(more > 0 ? [`… and ${more} more rows`] : [])]);
      };
      log("dry: it follows, and shows what it would change, until it is stopped (Ctrl-C); it writes nothing");
      // A dry host uses no broker that others use, so a transcriber of its own must send it the rows.
      const [transcriber = ""] = transcribersOf(project.config);
      const dry = [...new Set([...hosts, transcriber])];
      await runHosts(dryProject(project), { hosts: dry, signal, log, dry: { show } });
    } else {
      await runHosts(project, { hosts, signal, log, brokerPassword });
    }
    return 0;
  },
};

function hostsToRun({ config, configFile }: Project, args: Arguments): string[] {
  const named = args.text("host");
  if (args.flag("all")) {
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
