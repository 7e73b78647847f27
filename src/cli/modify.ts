import { userInfo } from "node:os";
import { resolve } from "node:path";
import { reason, UserError } from "../core/util/errors.ts";
import { readChanges } from "../operations/read-changes.ts";
import { type Made, openWriter } from "../operations/writer.ts";
import { openProject } from "../project/project.ts";
import { type Command, projectOption } from "./command.ts";

/** Makes the changes of an LDIF file in the directory. */
export const modify: Command = {
  name: "modify",
  summary: "make the changes of an LDIF file in the directory, and say who and why",
  operands: ["FILE.ldif"],
  options: {
    ...projectOption,
    who: { type: "string", value: "NAME", help: "the person who wants the changes (the user of this process)" },
    why: { type: "string", value: "TEXT", help: "the reason" },
    wait: { type: "boolean", help: "wait until every host has applied the changes" },
    timeout: { type: "string", value: "SECONDS", help: "the longest wait for the hosts (60)" },
    "bind-dn": { type: "string", value: "DN", help: "the DN that writes (the reader of the config)" },
    "password-file": { type: "string", value: "FILE", help: "a file with the password of --bind-dn" },
  },
  more: `The changes are made in their order, up to the first that is refused. Each line of the output has the id of a change
(entryUUID@CSN), and its kind. Without a broker the changes are made too: the transcriber reads them from the directory,
and its log does not say who made them, and why.

  trigger modify move.ldif --why 'Alice moves to the south' --wait

Exit codes
  0  all changes are made; with --wait, every host has applied them too
  1  all changes are made, but hosts have not applied them in time: each is listed with the reason
  2  a change was refused: the changes before it are made`,
  async run({ operands: [name = ""], text, flag }, screen) {
    const { folder, say, warn, signal, brokerPassword } = screen;
    const project = await openProject(text("project") ?? folder);
    const seconds = secondsOf(text("timeout") ?? "60");
    const passwordFile = text("password-file");
    const file = resolve(folder, name);
    const changes = readChanges(file);
    await using writer = await openWriter(project, {
      ...{ who: text("who") ?? userName(), why: text("why"), bindDn: text("bind-dn") },
      ...{ passwordFile: passwordFile && resolve(folder, passwordFile), brokerPassword, signal },
    });
    const made: Made[] = [];
    let warned: string | undefined;
    for (const change of changes) {
      const one = await writer.write(change).catch((error) => {
        const before = `${made.length} of ${changes.length} changes were made before this one, none after it`;
        throw new UserError(`${file}:${change.line}: ${reason(error)}; ${before}`);
      });
      made.push(one);
      say(`${one.id} ${done[change.kind]} ${change.dn}`);
      if (one.warning !== undefined && one.warning !== warned) {
        warn(`trigger modify: made, but who and why were not published: ${one.warning}`);
      }
      warned = one.warning;
    }
    if (!flag("wait")) return 0;
    const late = await writer.notApplied(made, { seconds });
    for (const { host, service, why } of late) say(`${host} ${service}: not applied: ${why}`);
    if (late.length === 0) say("every host has applied it");
    return late.length === 0 ? 0 : 1;
  },
};

const done = { add: "added", modify: "modified", rename: "renamed", delete: "deleted" };

function secondsOf(text: string): number {
  const seconds = Number(text);
  if (text.trim() !== "" && seconds >= 0 && seconds <= 86_400) return seconds;
  throw new UserError(`--timeout: expected seconds, at most a day, found ${JSON.stringify(text)}`);
}

function userName(): string | undefined {
  try {
    return userInfo().username;
  } catch {
    return undefined; // the system may know a container's user by number alone
  }
}
