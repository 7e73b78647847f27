import { openWriter, type Writer, type WriterOptions } from "./operations/writer.ts";
import { openProject } from "./project/project.ts";

/** The front door for programs that write to the directory. Nothing inside imports it. */

export type { Attributes, Value } from "./core/directory/entry.ts";
export type { DirectoryState } from "./core/stream/messages.ts";
export { UserError } from "./core/util/errors.ts";
export type { Change, Modification } from "./directories/ldap/change-requests.ts";
export type { Late } from "./operations/not-applied.ts";
export type { Made, ReadEntry, Rename, Writer, WriterOptions } from "./operations/writer.ts";

/**
 * Opens the directory of the project in `folder`, to read it and to write to it. Each write says who and why, and gives the entry before
 * and after.
 *
 * @throws `UserError` if the config has no OpenLDAP server; an error with the reason if that or the broker cannot be reached.
 *
 * @example
 * ```ts
 * await using directory = await openDirectory("/etc/trigger", { who: "adhesion", why: "alice has paid" });
 * const alice = await directory.read("uid=alice,dc=campus,dc=example");
 * if (!alice) throw new Error("there is no alice");
 * await directory.modify(alice, [{ kind: "replace", attribute: "paidUntil", values: ["20270930"] }]);
 * ```
 */
export async function openDirectory(folder: string, options: WriterOptions = {}): Promise<Writer> {
  return openWriter(await openProject(folder), options);
}
