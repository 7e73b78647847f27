import { verify as verifyNetwork } from "../operations/verify.ts";
import { openProject } from "../project/project.ts";
import { type Command, projectOption } from "./command.ts";

/** Compares now, from the directory down to the daemons. */
export const verify: Command = {
  name: "verify",
  summary:
    "compare now: the mirror with the directory, every host's rows with the transcriber's, and its daemons with the rows",
  operands: [],
  options: projectOption,
  more: `Each transcriber reads the whole directory again. Every host computes its digest from its rows again, and compares it with
the transcriber's. Then it reads the content of its daemons, as \`trigger diff\` does: one after the other, a minute at
most for each. No run waits for that. An entry that changes at that moment counts as one that differed.
Differences between directory, transcriber and host are repaired as they are found. Differences of a daemon are shown by
\`trigger diff SERVICE\` on its host and repaired by \`trigger regen SERVICE\`. Tables are compared each minute without this
command; daemons are not.

Exit codes
  0  all is equal, as far as it can be compared
  1  something differed (even if it is repaired by now), could not be asked, or has not answered`,
  async run({ text }, { folder, say, signal, brokerPassword, sudoUser }) {
    const project = await openProject(text("project") ?? folder);
    return (await verifyNetwork(project, { say, signal, brokerPassword, sudoUser })) ? 0 : 1;
  },
};
