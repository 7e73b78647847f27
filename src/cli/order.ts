import { hostsOf, knownHost, knownService } from "../core/config.ts";
import { UserError } from "../core/outcome.ts";
import { hostKey, queueOf, serviceKey } from "../core/routing.ts";
import { type OrderMessage, protocolVersion } from "../core/stream.ts";
import { connectBroker } from "../daemon/broker.ts";
import { loadServices, openProject } from "../project/project.ts";
import { type Command, projectOption } from "./command.ts";

/** The commands that ask hosts for something: they travel as messages, so they reach hosts elsewhere, and hosts that are off now. */

export const regen = orderCommand("regen", "make a service's hosts generate everything again", "");

export const retry = orderCommand(
  "retry",
  "try again what waits for a person: parked messages, texts that failed, refused rows",
  "Parked messages go back to the end of their queue: newer ones may have been handled since.",
);

export const approve = orderCommand(
  "approve",
  "let a held service go on, and take over what stands in its way",
  `\`trigger status\` says why it is held, and on its host \`trigger diff\` shows the difference. Removals beyond the limit of an hour (\`removals\` in the
config) need the DIGEST that was shown: if there are other removals by then, they are held under another one.`,
  { operand: "[DIGEST]" },
);

export const adopt = orderCommand(
  "adopt",
  "take over one thing that trigger did not write: a record of a daemon, or a file",
  `NAME is what \`trigger diff\` and \`trigger status\` call it: a MAC address, a name, a path. From then on it is made to match the rows.
What no row has would be removed, so it is left alone unless --remove is given; the host's log says so.`,
  { operand: "NAME", options: { remove: { type: "boolean", help: "also what no row has: it is removed" } } },
);

function orderCommand(
  order: OrderMessage["order"],
  summary: string,
  more: string,
  { operand, options = {} }: { operand?: string; options?: Command["options"] } = {},
): Command {
  return {
    name: order,
    summary,
    operands: operand === undefined ? ["SERVICE"] : ["SERVICE", operand],
    options: {
      ...projectOption,
      ...options,
      host: { type: "string", value: "HOST", help: "only this host (every host of the service)" },
    },
    more,
    async run({ operands: [name = "", record], text, flag }, { folder, out, brokerPassword }) {
      const project = await openProject(text("project") ?? folder);
      const service = knownService(project.config, name, project.configFile);
      const of = hostsOf(project.config, service);
      const only = text("host");
      if (only !== undefined && !of.includes(knownHost(project.config, only, project.configFile))) {
        throw new UserError(`host ${only} does not run ${service}; these do: ${of.join(", ")}`);
      }
      const { services } = await loadServices(project, [service]);
      const definition = services.get(service);
      const use = definition && "table" in definition ? "table" : "plain";
      const about =
        record === undefined ? {} : order === "approve" ? { digest: record } : { name: record, remove: flag("remove") };
      const message: OrderMessage = { trigger: protocolVersion, kind: "order", service, order, ...about };
      await using broker = await connectBroker(project, { password: brokerPassword });
      await broker.declare(of.map((host) => queueOf(host, service, use)));
      await broker.publish(only ? hostKey(service, only) : serviceKey(service), JSON.stringify(message));
      out(`asked ${only ?? of.join(", ")} to ${order} ${service}; \`trigger status\` shows how it goes\n`);
      return 0;
    },
  };
}
