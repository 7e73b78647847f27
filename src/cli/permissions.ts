import { UserError } from "../core/util/errors.ts";
import { userScript } from "../operations/user-script.ts";
import { openProject } from "../project/project.ts";
import { type Command, projectOption } from "./command.ts";

/** Prints the script that makes the users of RabbitMQ, and changes nothing. */
export const permissions: Command = {
  name: "permissions",
  summary: "print a script that makes the RabbitMQ users, one per host, with the narrowest rights that work",
  operands: [],
  options: {
    ...projectOption,
    sender: { type: "string", value: "USER", help: "only a user that sends messages" },
    to: { type: "string", value: "SERVICE", help: "the plain service that it sends to, or event for a binding" },
  },
  more: `Run the script with sh on a RabbitMQ node, and again when hosts or services of the config change. It makes the exchange
and the users, and sets their rights. It stops at the first error: run it again in the same folder to continue. It puts
each new password into the file USER.password there: move it to its host, as the passwordFile of the config. An existing
user keeps its password. The config is the same on every host, so its url takes the user from the
machine's name:

  url: \`amqps://trigger-\${hostname().split(".")[0]}@broker.example\`

A host can then report, and read its own queues, which a transcriber makes. Orders (regen, retry, approve, verify) are
given on a transcriber's host. The user trigger.modify is no host: trigger modify, and programs with trigger/directory,
write to the directory by it.

  trigger permissions > users.sh
  trigger permissions --sender alarm --to siren`,
  async run({ text }, { folder, lines }) {
    const project = await openProject(text("project") ?? folder);
    const [sender, service] = [text("sender"), text("to")];
    if ((sender === undefined) !== (service === undefined)) throw new UserError("--sender and --to belong together");
    const only = sender !== undefined && service !== undefined ? { user: sender, service } : undefined;
    lines((await userScript(project, only)).trimEnd().split("\n"));
    return 0;
  },
};
