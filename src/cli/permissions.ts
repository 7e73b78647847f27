import { hostsOf, knownService, transcribersOf } from "../core/config/config.ts";
import { hostUser, senderUser, vhostOf, writerUser } from "../core/config/permissions.ts";
import { commandsOf } from "../core/config/user-commands.ts";
import { eventService } from "../core/stream/routing.ts";
import { UserError } from "../core/util/errors.ts";
import { loadServices, openProject, type Project } from "../project/project.ts";
import { type Command, projectOption } from "./command.ts";

/** A user of RabbitMQ, as a shell and a url can carry it without a quotation. */
const userName = /^[a-zA-Z0-9_][a-zA-Z0-9_.-]*$/;

/** Prints the users that RabbitMQ needs, and changes nothing. */
export const permissions: Command = {
  name: "permissions",
  summary: "print the RabbitMQ users, one per host, with the narrowest rights that work",
  operands: [],
  options: {
    ...projectOption,
    sender: { type: "string", value: "USER", help: "instead, a user that only sends messages" },
    to: { type: "string", value: "SERVICE", help: "of this plain service; of event: a binding" },
  },
  more: `To be run by a shell on a node of RabbitMQ, again whenever hosts or services of the config change: it makes the exchange and the users, and
sets their rights. It stops at the first error, and goes on when it is run again in that folder. Each password is made there, in the file
USER.password: move it to its host, as the passwordFile of the config. A user that is there keeps its password.
The config is the same on every host, so its url takes the user from the machine's name:

  url: \`amqps://trigger-\${hostname().split(".")[0]}@broker.example\`

A host can then report, and read its own queues, which a transcriber makes. Orders (regen, retry, approve, verify) are given on a transcriber's host.
The user trigger.modify is for who writes to the directory with trigger modify, or a program with trigger/directory, and is no host.

  trigger permissions > users.sh
  trigger permissions --sender alarm --to siren`,
  async run({ text }, { folder, lines }) {
    const project = await openProject(text("project") ?? folder);
    const { broker, directory, hosts } = project.config;
    if (!broker) {
      throw new UserError(
        `${project.configFile} names no broker: who may send is who may write the folder ${project.state}`,
      );
    }
    const [sender, service] = [text("sender"), text("to")];
    if ((sender === undefined) !== (service === undefined)) throw new UserError("--sender and --to go together");
    const writers = directory && "url" in directory ? [writerUser()] : [];
    const users =
      sender !== undefined && service !== undefined
        ? [await senderOf(project, sender, service)]
        : [...[...hosts.keys()].map((host) => hostUser(project.config, host)), ...writers];
    lines(commandsOf(users, vhostOf(broker.url)).trimEnd().split("\n"));
    return 0;
  },
};

async function senderOf(project: Project, user: string, to: string) {
  const { config, configFile } = project;
  if (!userName.test(user)) {
    throw new UserError(`a user is named with a-z, A-Z, 0-9, _, . and -: ${JSON.stringify(user)} is not`);
  }
  if (to === eventService) return senderUser(user, to, transcribersOf(config));
  const service = knownService(config, to, configFile);
  const definition = (await loadServices(project, [service])).services.get(service);
  if (!definition || "table" in definition) {
    throw new UserError(`${service} is computed from the directory: who may send to it could forge its rows`);
  }
  return senderUser(user, service, hostsOf(config, service));
}
