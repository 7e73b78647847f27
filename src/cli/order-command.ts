import { knownService, type ReadConfig } from "../core/config/config.ts";
import type { Asked } from "../core/stream/order.ts";
import { connectBroker } from "../daemon/broker.ts";
import { chosenHosts } from "../operations/chosen-hosts.ts";
import { giveOrder, type HostAnswer } from "../operations/give-order.ts";
import type { Broker } from "../ports/broker.ts";
import { openProject } from "../project/project.ts";
import { type Arguments, type Command, projectOption } from "./command.ts";

/** A command that gives hosts an order. */
export interface OrderCommand extends Pick<Command, "summary"> {
  readonly order: Asked["order"];
  readonly more: string;
  /** The word after the service. */
  readonly operand?: string;
  readonly options?: Command["options"];
  /** The fields of the order besides its name. */
  readonly fields?: (args: Arguments, config: ReadConfig) => Omit<Asked, "service" | "order">;
  /** True if it is enough that one of the hosts did it. */
  readonly oneIsEnough?: (args: Arguments) => boolean;
}

/** The exit codes of every order, for the help. */
const exitCodes = `Each host answers, and its answer is printed. A host on this machine takes the order by a socket, without the broker.
Other hosts take it from the broker, if this machine's user is a transcriber's. A host that is not up gets no old orders
when it comes back: give the order again. \`trigger audit\` lists who gave which order, and the answers.

Exit codes
  0  done
  1  a host refused, or did not answer, or something still waits for a person; the output has the reason
  2  no host could be reached`;

/** Makes the command of an order. */
export function orderCommand(about: OrderCommand): Command {
  const { order, summary, more, operand, options = {}, fields = () => ({}), oneIsEnough = () => false } = about;
  return {
    name: order,
    summary,
    operands: operand === undefined ? ["SERVICE"] : ["SERVICE", operand],
    options: {
      ...projectOption,
      ...options,
      host: { type: "string", value: "HOST", help: "only this host (every host of the service)" },
    },
    more: `${more}\n\n${exitCodes}`,
    async run(args, { folder, say, signal, brokerPassword, sudoUser }) {
      const { operands, text } = args;
      const project = await openProject(text("project") ?? folder);
      const service = knownService(project.config, operands[0] ?? "", project.configFile);
      const hosts = chosenHosts(project, service, text("host"));
      const asked: Asked = { service, order, ...fields(args, project.config) };
      const connect = (): Promise<Broker> => connectBroker(project, { password: brokerPassword });
      const answers = await giveOrder(project, { asked, hosts, sudoUser, connect, signal });
      for (const answer of answers) say(sayAnswer(answer));
      return exitCode(answers, oneIsEnough(args));
    },
  };
}

/** The answer of a host as a line. */
export function sayAnswer(answer: HostAnswer): string {
  const { host } = answer;
  if (!("outcome" in answer)) return `${host}: ${answer.none}: ${answer.why}`;
  const { done, text } = answer.outcome;
  return `${host}: ${done ? "done" : "refused"}: ${text}`;
}

function exitCode(answers: readonly HostAnswer[], oneIsEnough: boolean): number {
  const outcomes = answers.flatMap((answer) => ("outcome" in answer ? [answer.outcome] : []));
  if (answers.every((answer) => "none" in answer && answer.none === "unreached")) return 2;
  if (outcomes.length < answers.length) return 1;
  const isDone = oneIsEnough ? outcomes.some(({ done }) => done) : outcomes.every(({ done }) => done);
  return isDone && !outcomes.some(({ done, waits }) => done && waits) ? 0 : 1;
}
