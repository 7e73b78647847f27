import { UserError } from "../core/util/errors.ts";
import { send as sendMessage } from "../operations/send.ts";
import { openProject } from "../project/project.ts";
import { type Command, projectOption } from "./command.ts";

/** Sends a plain message to the hosts of a service. */
export const send: Command = {
  name: "send",
  summary: "send a message to every host of a plain service",
  operands: ["SERVICE", "JSON"],
  options: projectOption,
  more: `The message is checked with the service's own schema before it is sent. Each host handles it once, also a host that is off now.

  trigger send secours '{"on": true}'`,
  async run({ operands: [name = "", body = ""], text }, { folder, say, brokerPassword }) {
    const project = await openProject(text("project") ?? folder);
    const queues = await sendMessage(project, name, readJson(body), { brokerPassword });
    say(`sent to ${queues.join(", ")}`);
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
