import { hostsOf, knownHost, knownService, type ReadConfig } from "../core/config/config.ts";
import { readDate } from "../core/directory/dates.ts";
import { type OrderMessage, protocolVersion } from "../core/stream/messages.ts";
import { hostKey, queueOf, serviceKey } from "../core/stream/routing.ts";
import { reason, UserError } from "../core/util/errors.ts";
import { connectBroker } from "../daemon/broker.ts";
import { type Asked, notApprovable, waitsForDigest } from "../operations/approvable.ts";
import { BrokerTrouble } from "../ports/broker.ts";
import { loadServices, openProject } from "../project/project.ts";
import { type Command, type Given, projectOption } from "./command.ts";

/** The commands that ask hosts for something: they travel as messages, so they reach hosts elsewhere, and hosts that are off now. */

/** What helps who cannot give an order: the broker is down, or takes none from the user of this machine. */
const withoutBroker =
  "an order needs the broker, and the user of a transcriber's host; meanwhile `systemctl stop trigger` keeps trigger off a machine";

export const regen = orderCommand({
  order: "regen",
  summary: "make a service's hosts generate everything again",
  more: "What differs is mended: `trigger diff` shows it on its host.",
});

export const retry = orderCommand({
  order: "retry",
  summary: "try again what waits for a person: parked messages, texts that failed, refused rows",
  more: "Parked messages go back to the end of their queue: newer ones may have been handled since.",
});

export const drop = orderCommand({
  order: "drop",
  summary: "throw parked messages away: all of a service, or the one with this number",
  operand: "[NUMBER]",
  more: "`trigger status` lists them with their numbers, which each host counts for itself: name it with --host.",
  fields({ operands: [, number] }) {
    if (number === undefined) return {};
    if (!/^\d{1,15}$/.test(number))
      throw new UserError(`expected the number of a message, found ${JSON.stringify(number)}`);
    return { id: Number(number) };
  },
});

export const hold = orderCommand({
  order: "hold",
  summary: "let a service follow and store, and write nothing until `trigger approve`",
  operand: "[WHY]",
  more: "`trigger diff` shows what it would do.",
  fields: ({ operands: [, why] }) => (why === undefined ? {} : { why }),
});

export const approve = orderCommand({
  order: "approve",
  summary: "let a held service go on, and take over what stands in its way",
  operand: "[DIGEST]",
  options: {
    until: {
      type: "string",
      value: "DATE",
      help: "with --at-most: allow removals that are known to come (`trigger forecast`)",
    },
    "at-most": { type: "string", value: "N", help: "with --until: so many rows may go, beside the limit of an hour" },
  },
  more: `\`trigger status\` says why it is held, and on its host \`trigger diff\` shows the difference. Where something would be lost, the DIGEST that was shown is
needed: of what trigger did not write and would replace (a file, a table, records), of files that would go, or of removals beyond the limit of an
hour (\`removals\` in the config). If it is something else by then, it is held under another one. A DIGEST that no host has reported changes nothing.
Without one, and so alone, a service goes on that a person held, and a host that waits for another one (\`waves\` in the config) waits no more. With --until and
--at-most nothing that is held goes on: it is about removals to come.

Exit codes
  0  asked; without a DIGEST, nothing is known to go on waiting for one
  1  no host is known to wait under this DIGEST: nothing was asked, and what waits is named;
     without a DIGEST: asked, and what goes on waiting for one is named, or of which host that is not known
  2  it could not be asked`,
  async refuses({ operands: [, digest], text }, asked) {
    const isOfWaiting = digest !== undefined && text("until") === undefined;
    return isOfWaiting ? notApprovable(digest, asked) : undefined;
  },
  async leaves({ operands: [, digest], text }, asked) {
    return digest === undefined && text("until") === undefined ? waitsForDigest(asked) : [];
  },
  fields: ({ operands: [, digest], text }, config) => ({
    ...(digest === undefined ? {} : { digest }),
    ...allowed(text("until"), text("at-most"), config),
  }),
});

export const adopt = orderCommand({
  order: "adopt",
  summary: "take over one thing that trigger did not write: a record of a daemon, or a file",
  operand: "NAME",
  options: { remove: { type: "boolean", help: "also what no row has: it is removed" } },
  more: `NAME is what \`trigger diff\` and \`trigger status\` call it: a MAC address, a name, a path. From then on it is made to match the rows.
What no row has would be removed, so it is left alone unless --remove is given; the host's log says so.`,
  fields: ({ operands: [, name = ""], flag }) => ({ name, remove: flag("remove") }),
});

function orderCommand({
  order,
  summary,
  more,
  operand,
  options = {},
  fields = () => ({}),
  refuses,
  leaves = async () => [],
}: {
  order: OrderMessage["order"];
  summary: string;
  more: string;
  operand?: string;
  options?: Command["options"];
  /** What the order says beside its name. */
  fields?: (given: Given, config: ReadConfig) => Partial<OrderMessage>;
  /** The lines that say why the order is not given; undefined when it is. */
  refuses?(given: Given, asked: Asked): Promise<readonly string[] | undefined>;
  /** The lines that say what still waits when the order is obeyed. */
  leaves?(given: Given, asked: Asked): Promise<readonly string[]>;
}): Command {
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
    async run(given, { folder, say, lines, signal, brokerPassword }) {
      const { operands, text } = given;
      const project = await openProject(text("project") ?? folder);
      const service = knownService(project.config, operands[0] ?? "", project.configFile);
      const of = hostsOf(project.config, service);
      const only = text("host");
      if (only !== undefined && !of.includes(knownHost(project.config, only, project.configFile))) {
        throw new UserError(`host ${only} does not run ${service}; these do: ${of.join(", ")}`);
      }
      const about = fields(given, project.config);
      const asked = { project, service, hosts: only === undefined ? of : [only], signal };
      const refusal = await refuses?.(given, asked);
      if (refusal) {
        lines(refusal);
        return 1;
      }
      const left = await leaves(given, asked);
      const { services } = await loadServices(project, [service]);
      const definition = services.get(service);
      const use = definition && "table" in definition ? "table" : "plain";
      const message: OrderMessage = { trigger: protocolVersion, kind: "order", service, order, ...about };
      await using broker = await connectBroker(project, { password: brokerPassword });
      try {
        await broker.declare(of.map((host) => queueOf(host, service, use)));
        await broker.publish(only ? hostKey(service, only) : serviceKey(service), JSON.stringify(message));
      } catch (error) {
        throw error instanceof BrokerTrouble ? new UserError(`${reason(error)}; ${withoutBroker}`) : error;
      }
      say(`asked ${only ?? of.join(", ")} to ${order} ${service}; \`trigger status\` shows how it goes`);
      lines(left);
      return left.length === 0 ? 0 : 1;
    },
  };
}

function allowed(until: string | undefined, atMost: string | undefined, { timezone }: ReadConfig) {
  if (until === undefined && atMost === undefined) return {};
  if (until === undefined || atMost === undefined) throw new UserError("--until DATE and --at-most N belong together");
  if (!/^\d{1,9}$/.test(atMost))
    throw new UserError(`--at-most: expected a number of rows, found ${JSON.stringify(atMost)}`);
  try {
    return { allow: { rows: Number(atMost), until: readDate(until, timezone).getTime() } };
  } catch (cause) {
    throw new UserError("--until", { cause });
  }
}
