import { randomUUID } from "node:crypto";
import { eventQueuesOf, hostsOf, knownService } from "../core/config/config.ts";
import { eventService, queueOf, serviceKey } from "../core/stream/routing.ts";
import { UserError } from "../core/util/errors.ts";
import { wrongBody } from "../core/util/wrong-body.ts";
import { connectBroker } from "../daemon/broker.ts";
import { type Queue, QueueFull } from "../ports/broker.ts";
import { loadServices, type Project } from "../project/project.ts";

/** Options of `send`. */
export interface SendOptions {
  /** The password of RabbitMQ from the environment, if any. */
  readonly brokerPassword?: string | undefined;
}

/**
 * Sends a message to every host of a plain service, or an event to the transcribers, and returns the names of their queues.
 * Throws a `UserError` for a message that the service would not take, and for a full queue.
 */
export async function send(
  project: Project,
  service: string,
  message: unknown,
  { brokerPassword }: SendOptions,
): Promise<string[]> {
  const queues =
    service === eventService ? eventQueues(project, message) : await plainQueues(project, service, message);
  await using broker = await connectBroker(project, { password: brokerPassword });
  await broker.declare(queues);
  await broker.publish(serviceKey(service), JSON.stringify(message), { messageId: randomUUID() }).catch((error) => {
    throw error instanceof QueueFull ? new UserError(`not sent: ${error.message}`) : error;
  });
  return queues.map(({ name }) => name);
}

function eventQueues({ config }: Project, event: unknown): Queue[] {
  if (!Array.isArray(event) || event.length !== 4) {
    throw new UserError("an event is a JSON array of four: [hash, before, after, additional] (docs/protocol.md)");
  }
  return eventQueuesOf(config);
}

async function plainQueues(project: Project, name: string, message: unknown): Promise<Queue[]> {
  const service = knownService(project.config, name, project.configFile);
  const definition = (await loadServices(project, [service])).services.get(service);
  if (!definition || "table" in definition) {
    throw new UserError(
      `${service}: its rows are computed from the directory: change an entry, or \`trigger regen ${service}\``,
    );
  }
  const read = definition.plain.schema.safeParse(message);
  if (!read.success) throw new UserError(`${service}: ${wrongBody(read.error)}`);
  return hostsOf(project.config, service).map((host) => queueOf(host, service, "plain"));
}
