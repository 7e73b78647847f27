import { UserError } from "../core/util/errors.ts";
import { checkProject } from "../operations/check-project.ts";
import { type Command, projectOption } from "./command.ts";

/** Lists the mistakes of a project, before it runs. */
export const check: Command = {
  name: "check",
  summary: "read the config and every service as `up` would, and list the mistakes; starts nothing",
  operands: [],
  options: {
    ...projectOption,
    host: { type: "string", value: "NAME", help: "only the services of this host, and the files that it reads" },
    all: { type: "boolean", help: "also the files of every host, if all of them are on this machine" },
  },
  more: `It imports the config and the services, so code at the top level of these files runs. No service is run, and no server
is asked. With --host or --all it also reads the files that the config names: keys, passwords, certificates and the LDIF
file.

Exit codes
  0  nothing is wrong
  1  there are mistakes, one on each line
  2  there is no project, or no such host`,
  async run({ text, flag }, { folder, brokerPassword, lines, say }) {
    const host = text("host");
    if (flag("all") && host !== undefined) throw new UserError("--all and --host exclude each other");
    const hosts = flag("all") ? "all" : host === undefined ? [] : [host];
    const {
      services,
      hosts: read,
      mistakes,
    } = await checkProject(text("project") ?? folder, { hosts, brokerPassword });
    lines(mistakes);
    if (mistakes.length > 0) return 1;
    const of = read.length > 0 ? `, with the files of ${read.join(", ")}` : "";
    say(`nothing is wrong: the config and ${services.join(", ") || "no service"}${of}`);
    return 0;
  },
};
