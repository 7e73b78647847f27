import { UserError } from "../core/util/errors.ts";
import { userScript } from "../operations/user-script.ts";
import { openProject } from "../project/project.ts";
import { type Command, projectOption } from "./command.ts";

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
    const [sender, service] = [text("sender"), text("to")];
    if ((sender === undefined) !== (service === undefined)) throw new UserError("--sender and --to go together");
    const only = sender !== undefined && service !== undefined ? { user: sender, service } : undefined;
    lines((await userScript(project, only)).trimEnd().split("\n"));
    return 0;
  },
};
