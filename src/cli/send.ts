import { randomUUID } from "node:crypto";
import { eventQueuesOf, hostsOf, knownService } from "../core/config/config.ts";
import { eventService, queueOf, serviceKey } from "../core/stream/routing.ts";
import { UserError } from "../core/util/errors.ts";
import { wrongBody } from "../core/util/wrong-body.ts";
import { connectBroker } from "../daemon/broker.ts";
import { QueueFull } from "../ports/broker.ts";
import { loadServices, openProject, type Project } from "../project/project.ts";
import { type Command, projectOption } from "./command.ts";

/** Sends a plain message to the hosts of a service. */
export const send: Command = {
  name: "send",
  summary: "send a message to every host of a plain service",
  operands: ["SERVICE", "JSON"],
  options: projectOption,
  more: `The message is checked with the service's own schema before it is sent, and is handled once by each host, also by one that is off now.

  trigger send secours '{"on": true}'`,
  async run({ operands: [name = "", body = ""], text }, { folder, say, brokerPassword }) {
    const project = await openProject(text("project") ?? folder);
    const value = readJson(body);
    const queues = name === eventService ? eventQueues(project, value) : await plainQueues(project, name, value);
    await using broker = await connectBroker(project, { password: brokerPassword });
    await broker.declare(queues);
    await broker.publish(serviceKey(name), JSON.stringify(value), { messageId: randomUUID() }).catch((error) => {
      throw error instanceof QueueFull ? new UserError(`not sent: ${error.message}`) : error;
    });
    say(`sent to ${queues.map((queue) => queue.name).join(", ")}`);
    return 0;
  },
};

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UserError(`the message is not JSON: ${(error as Error).message}`);
  }
}

function eventQueues({ config }: Project, event: unknown) {
  if (!Array.isArray(event) || event.length !== 4) {
    throw new UserError("an event is a JSON array of four: [hash, before, after, additional] (docs/protocol.md)");
  }
  return eventQueuesOf(config);
}

async function plainQueues(project: Project, name: string, value: unknown) {
  const service = knownService(project.config, name, project.configFile);
  const definition = (await loadServices(project, [service])).services.get(service);
  if (!definition || "table" in definition) {
    throw new UserError(`${service}: computed from the directory: change an entry, or \`trigger regen ${service}\``);
  }
  const read = definition.plain.schema.safeParse(value);
  if (!read.success) throw new UserError(`${service}: ${wrongBody(read.error)}`);
  return hostsOf(project.config, service).map((host) => queueOf(host, service, "plain"));
}
