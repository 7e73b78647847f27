import { hostsOf } from "../core/config/config.ts";
import { type OrderMessage, protocolVersion } from "../core/stream/messages.ts";
import { hostKey, queueOf, serviceKey } from "../core/stream/routing.ts";
import { reason, UserError } from "../core/util/errors.ts";
import { connectBroker } from "../daemon/broker.ts";
import { BrokerTrouble } from "../ports/broker.ts";
import { loadServices, type Project } from "../project/project.ts";

/** An order to the hosts of a service. */
export interface Order extends Pick<OrderMessage, "service" | "order"> {
  /** The only host that is asked; every host of the service by default. */
  readonly host?: string | undefined;
  /** The fields of the message besides its name. */
  readonly fields: Partial<OrderMessage>;
  /** The password of RabbitMQ from the environment, if any. */
  readonly brokerPassword?: string | undefined;
}

/** The remedy while no order can be given: the broker is down, or takes none from the user of this machine. */
const withoutBroker =
  "an order needs the broker, and the user of a transcriber's host; meanwhile `systemctl stop trigger` keeps trigger off a machine";

/** Publishes an order. Orders travel as messages, so they reach hosts elsewhere, and hosts that are off now. */
export async function giveOrder(
  project: Project,
  { service, order, host, fields, brokerPassword }: Order,
): Promise<void> {
  const { services } = await loadServices(project, [service]);
  const definition = services.get(service);
  const use = definition && "table" in definition ? "table" : "plain";
  const message: OrderMessage = { trigger: protocolVersion, kind: "order", service, order, ...fields };
  await using broker = await connectBroker(project, { password: brokerPassword });
  try {
    await broker.declare(hostsOf(project.config, service).map((name) => queueOf(name, service, use)));
    const key = host === undefined ? serviceKey(service) : hostKey(service, host);
    await broker.publish(key, JSON.stringify(message));
  } catch (error) {
    throw error instanceof BrokerTrouble ? new UserError(`${reason(error)}; ${withoutBroker}`) : error;
  }
}
