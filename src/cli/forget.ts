import { knownHost } from "../core/config/config.ts";
import { hostUserName } from "../core/config/permissions.ts";
import { wrongHostName, wrongServiceName } from "../core/stream/routing.ts";
import { UserError } from "../core/util/errors.ts";
import { connectBroker } from "../daemon/broker.ts";
import { type Forgotten, forget as forgetIn } from "../operations/forget.ts";
import { openProject } from "../project/project.ts";
import { type Command, projectOption } from "./command.ts";

/** The most names that are shown. */
const shownLimit = 20;

/** Removes the queues, reports and store of a host or a service that the config no longer has. */
export const forget: Command = {
  name: "forget",
  summary: "remove the queues, reports and store of a host, or of a service of a host, that the config no longer has",
  operands: ["HOST", "[SERVICE]"],
  options: projectOption,
  more: `Take the host or the service out of the config first, and start the other hosts and the transcribers with that config.
While it is in use, nothing is removed. Run this on a transcriber's machine, like an order: its broker user may
remove the queues, and it has the reports. On the machine of the host itself it also removes the rows and messages of
the service from the store. It lists files and records of daemons, and leaves them: they are no longer trigger's.
On RabbitMQ it finds only queues of services that the project, a report or the store still knows: name any other service.

Exit codes
  0  removed, or nothing was left
  2  it failed; it may be run again`,
  async run({ operands: [host = "", service], text }, { folder, signal, say, lines: print, brokerPassword }) {
    const project = await openProject(text("project") ?? folder);
    const wrong = wrongHostName(host) ?? (service === undefined ? undefined : wrongServiceName(service));
    if (wrong) throw new UserError(wrong);
    const services = project.config.hosts.get(host);
    if (services && service === undefined) {
      throw new UserError(
        `${knownHost(project.config, host, project.configFile)} is still in ${project.configFile}: take it out, or name the service that it no longer has`,
      );
    }
    if (service !== undefined && services?.includes(service)) {
      throw new UserError(`${project.configFile} still gives ${service} to ${host}: take it out first`);
    }
    await using broker = await connectBroker(project, { password: brokerPassword });
    const forgotten = await forgetIn(project, host, service, { broker, signal });
    const lines = linesOf(forgotten);
    const name = service === undefined ? host : `${service} of ${host}`;
    print(lines.length === 0 ? [`nothing of ${name} is left, as far as this machine can see`] : lines);
    if (lines.length > 0 && !services && project.config.broker) {
      say(`to remove its RabbitMQ user: rabbitmqctl delete_user ${hostUserName(host)}`);
    }
    return 0;
  },
};

function linesOf({ queues, reports, left, state }: Forgotten): string[] {
  return [
    ...queues.map((queue) => `removed the queue ${queue}`),
    ...reports.map((transcriber) => `${transcriber} forgot its report`),
    ...left.flatMap(({ service, rows, messages, files, records }) => [
      `the store forgot ${service}: ${rows} applied rows, ${messages} messages`,
      ...names(files).map((path) => `  the file ${path} stays as it is`),
      ...names(records).map((record) => `  the record ${record} stays as it is`),
    ]),
    ...(state ? [`removed the store in ${state.folder}`] : []),
    ...(state?.stays ?? []).map((name) => `  ${name} stays there`),
  ];
}

const names = (all: readonly string[]): string[] =>
  all.length > shownLimit ? [...all.slice(0, shownLimit), `… and ${all.length - shownLimit} more`] : [...all];
