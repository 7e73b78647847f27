import { commandsOf } from "../brokers/rabbitmq/users.ts";
import { hostsOf, knownService, transcribersOf } from "../core/config/config.ts";
import { type BrokerUser, hostUser, senderUser, vhostOf, writerUser } from "../core/config/permissions.ts";
import { eventService } from "../core/stream/routing.ts";
import { UserError } from "../core/util/errors.ts";
import { loadServices, type Project } from "../project/project.ts";

/** A user of RabbitMQ that only sends messages, and the service that it sends them to. */
export interface Sender {
  readonly user: string;
  readonly service: string;
}

/** The names of users that need no quotation in a shell or a url. */
const userName = /^[a-zA-Z0-9_][a-zA-Z0-9_.-]*$/;

/**
 * The shell commands that make the RabbitMQ users of a project: one per host, and one that writes to the directory.
 * With a sender they make that user alone. Throws a `UserError` if the config names no broker.
 */
export async function userScript(project: Project, sender?: Sender): Promise<string> {
  const { broker, directory, hosts } = project.config;
  if (!broker) {
    throw new UserError(
      `${project.configFile} names no broker: any user who may write the folder ${project.state} may send`,
    );
  }
  const writers = directory && "url" in directory ? [writerUser()] : [];
  const users = sender
    ? [await senderOf(project, sender)]
    : [...[...hosts.keys()].map((host) => hostUser(project.config, host)), ...writers];
  return commandsOf(users, vhostOf(broker.url));
}

async function senderOf(project: Project, { user, service: to }: Sender): Promise<BrokerUser> {
  const { config, configFile } = project;
  if (!userName.test(user)) {
    throw new UserError(`the name of a user has only a-z, A-Z, 0-9, _, . and -, found ${JSON.stringify(user)}`);
  }
  if (to === eventService) return senderUser(user, to, transcribersOf(config));
  const service = knownService(config, to, configFile);
  const definition = (await loadServices(project, [service])).services.get(service);
  if (!definition || "table" in definition) {
    throw new UserError(`${service} is computed from the directory: a user who may send to it could forge its rows`);
  }
  return senderUser(user, service, hostsOf(config, service));
}
