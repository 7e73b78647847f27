import { type NewerFile, newerFiles, downgrade as putBack } from "../operations/downgrade.ts";
import { openProject } from "../project/project.ts";
import { type Command, projectOption } from "./command.ts";

/** Restores the state files that a newer program has migrated. */
export const downgrade: Command = {
  name: "downgrade",
  summary: "restore the state files from before an upgrade, after an older trigger was installed again",
  operands: [],
  options: {
    ...projectOption,
    yes: { type: "boolean", help: "do it; by default, it only lists the losses" },
  },
  more: `Run it with the older program, once the hosts of this machine are stopped. A newer program migrates the files of the
state when it starts, and keeps a copy of each as it was before. This puts the copies in their place. The newer files
stay beside them.

Exit codes
  0  put back, or nothing is newer than this program
  1  nothing was done: say --yes
  2  it failed, and changed nothing`,
  async run({ text, flag }, { folder, say, lines: print }) {
    const project = await openProject(text("project") ?? folder);
    const files = newerFiles(project);
    if (files.length === 0) {
      say("nothing in the state is newer than this program");
      return 0;
    }
    if (!flag("yes")) {
      print(
        files.flatMap((file) => [
          `would put back ${file.copy.file}, of ${dateOf(file)}`,
          `  lost: ${losses[file.holds]}`,
        ]),
      );
      say("Stop the hosts of this machine, then: trigger downgrade --yes");
      return 1;
    }
    const kept = putBack(project, files);
    print(
      files.flatMap((file, n) => [
        `put back ${file.file}, as of ${dateOf(file)}; the newer one is ${kept[n]}`,
        `  lost: ${losses[file.holds]}`,
      ]),
    );
    return 0;
  },
};

const dateOf = ({ copied }: NewerFile): string => new Date(copied).toISOString();

/** The loss with each kind of file since its copy was made, and the part of it that is received again. */
const losses: Readonly<Record<NewerFile["holds"], string>> = {
  store:
    "orders that people gave since (hold, approve, forecast) and messages of plain services; rows come again from the transcriber",
  owned:
    "the list of records that trigger wrote into shared daemons since: they are conflicts until a person approves them",
  directory: "events since: send them again, or `trigger seed FILE.ldif`",
  broker: "messages that wait in it since; rows come again from the transcriber",
};
