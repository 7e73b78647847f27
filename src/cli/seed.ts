import { resolve } from "node:path";
import { readDate } from "../core/directory/dates.ts";
import { reason, UserError } from "../core/util/errors.ts";
import { systemClock } from "../daemon/clock.ts";
import { eventDirectoryFile, seedEventDirectory } from "../daemon/event-directory.ts";
import { openProject, type Project } from "../project/project.ts";
import { type Command, projectOption } from "./command.ts";

/** Replaces the whole content of a directory that is made of events. */
export const seed: Command = {
  name: "seed",
  summary: "make an LDIF file the whole content of a directory that is made of events",
  operands: ["FILE.ldif"],
  options: {
    ...projectOption,
    exported: { type: "string", value: "DATE", help: "the time of the export (the file's own date)" },
  },
  more: `Use it for a config without \`directory\`, on its transcriber's machine, whether the transcriber is up or not. Hosts keep
their tables before the first seed, and after a loss of the directory's store. Events since the export of the file, or in the hour before, are applied once more
on top of it: changes during the export are not lost.`,
  async run({ operands: [name = ""], text }, { folder, signal, say, warn }) {
    const project = await openProject(text("project") ?? folder);
    if (project.config.directory) {
      throw new UserError(`${project.configFile} names a directory, which trigger reads: there is nothing to seed`);
    }
    const exported = dateOf(project, text("exported"));
    const log = (line: string): void => warn(line);
    const waits = { clock: systemClock, signal, log };
    const seeded = await seedEventDirectory(project, resolve(folder, name), { ...waits, exported });
    const applied = seeded.applied > 0 ? `, after ${seeded.applied} events on top of the file` : "";
    say(`${eventDirectoryFile(project)} is seeded: ${seeded.entries} entries${applied}`);
    if (seeded.exported < seeded.keptSince) {
      const [from, to] = [seeded.exported, seeded.keptSince].map((at) => new Date(at).toISOString());
      say(
        `the journal has events from ${to} on: if there were others since ${from}, export the directory again and seed it`,
      );
    }
    return 0;
  },
};

function dateOf({ config }: Project, said: string | undefined): number | undefined {
  try {
    return said === undefined ? undefined : Number(readDate(said, config.timezone));
  } catch (error) {
    throw new UserError(`--exported: ${reason(error)}`);
  }
}
