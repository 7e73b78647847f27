import { knownService, type ReadConfig } from "../core/config/config.ts";
import type { OrderMessage } from "../core/stream/messages.ts";
import type { OrderedHosts } from "../operations/approvable.ts";
import { chosenHosts } from "../operations/chosen-hosts.ts";
import { giveOrder } from "../operations/give-order.ts";
import { openProject } from "../project/project.ts";
import { type Arguments, type Command, projectOption } from "./command.ts";

/** A command that gives hosts an order. */
export interface OrderCommand extends Pick<Command, "summary"> {
  readonly order: OrderMessage["order"];
  readonly more: string;
  /** The word after the service. */
  readonly operand?: string;
  readonly options?: Command["options"];
  /** The fields of the order besides its name. */
  readonly fields?: (args: Arguments, config: ReadConfig) => Partial<OrderMessage>;
  /** Returns lines with the reason if the order is not given; undefined if it is. */
  refuses?(args: Arguments, hosts: OrderedHosts): Promise<readonly string[] | undefined>;
  /** Returns lines that list the things that wait even after the order. */
  leaves?(args: Arguments, hosts: OrderedHosts): Promise<readonly string[]>;
}

/** Makes the command of an order. */
export function orderCommand({
  order,
  summary,
  more,
  operand,
  options = {},
  fields = () => ({}),
  refuses,
  leaves = async () => [],
}: OrderCommand): Command {
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
    async run(args, { folder, say, lines, signal, brokerPassword }) {
      const { operands, text } = args;
      const project = await openProject(text("project") ?? folder);
      const service = knownService(project.config, operands[0] ?? "", project.configFile);
      const host = text("host");
      const hosts = chosenHosts(project, service, host);
      const about = fields(args, project.config);
      const ordered = { project, service, hosts, signal };
      const refusal = await refuses?.(args, ordered);
      if (refusal) {
        lines(refusal);
        return 1;
      }
      const left = await leaves(args, ordered);
      await giveOrder(project, { service, order, host, fields: about, brokerPassword });
      say(`asked ${hosts.join(", ")} to ${order} ${service}; \`trigger status\` shows the result`);
      lines(left);
      return left.length === 0 ? 0 : 1;
    },
  };
}
