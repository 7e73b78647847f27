import { resolve } from "node:path";
import type { LdapDirectory } from "../core/config/directory-config.ts";
import type { StoredEntry } from "../core/directory/entry.ts";
import type { RequestedAttributes } from "../core/directory/requested-attributes.ts";
import { UserError } from "../core/util/errors.ts";
import { ldapSource } from "../directories/ldap/source.ts";
import { readContent } from "../directories/ldif/content.ts";
import { ldifSource } from "../directories/ldif/source.ts";
import type { Clock } from "../ports/clock.ts";
import type { DirectorySource } from "../ports/directory.ts";
import type { Project } from "../project/project.ts";
import { systemClock } from "./clock.ts";
import { eventContent } from "./event-directory.ts";
import { readFile, readLdif } from "./read-file.ts";

/** Opens the directory that the config names. A config that names none has one made of events (`openEventDirectory`). */
export function openSource(
  { folder, config, ldifFile }: Project,
  { clock, log }: { readonly clock: Clock; readonly log: (line: string) => void },
): DirectorySource {
  const { directory } = config;
  if (!directory) throw new Error("the config names no directory");
  if ("ldif" in directory) return ldifSource({ file: ldifFile, clock });
  return ldapSource({ ...withFiles(directory, folder), clock, log });
}

/** The settings of a server, with the content of the files that they name. With `piped` the password may come from a pipe, as an operand. */
export function withFiles(
  { passwordFile, ca, cert, key, ...rest }: LdapDirectory,
  folder: string,
  { piped = false } = {},
) {
  const text = (option: string, file: string): string =>
    readFile(resolve(folder, file), `directory.${option}`, { piped: piped && option === "passwordFile" }).toString();
  return {
    ...rest,
    ...(passwordFile !== undefined && { password: text("passwordFile", passwordFile).replace(/\r?\n$/, "") }),
    ...(ca !== undefined && { ca: text("ca", ca) }),
    ...(cert !== undefined && { cert: text("cert", cert) }),
    ...(key !== undefined && { key: text("key", key) }),
  };
}

/** The directory at one moment, and the options of its reading. */
export interface Content {
  readonly entries: readonly StoredEntry[];
  readonly requested?: RequestedAttributes;
}

/** Reads the directory once, as it is now. Throws a `UserError` if it cannot be read. */
export async function readDirectoryOnce(project: Project): Promise<Content> {
  const { directory } = project.config;
  if (!directory) return { entries: eventContent(project) };
  if ("ldif" in directory)
    return { entries: readContent(readLdif(project.ldifFile, "directory.ldif"), project.ldifFile) };
  const over = new AbortController();
  try {
    for await (const change of openSource(project, { clock: systemClock, log: () => {} }).changes(over.signal)) {
      if (change.kind === "trouble") throw new UserError(change.why);
      if (change.kind === "refresh") return change;
    }
  } finally {
    over.abort();
  }
  throw new UserError("the directory gives no content");
}
