import { attributeName } from "../../core/directory/attributes.ts";
import type { Connection } from "./connection.ts";
import { entryReader } from "./entry.ts";
import type { MessageReader } from "./message-reader.ts";
import { search } from "./requests.ts";
import { ResultError } from "./result.ts";

/**
 * The normal names of the attributes that a server's schema calls operational (RFC 4512, 4.1.2); undefined if it cannot
 * be read.
 */
export async function operationalAttributes(
  connection: Connection,
  messages: MessageReader,
  subschema: string,
): Promise<readonly string[] | undefined> {
  const request = {
    base: subschema,
    scope: "base",
    filter: "(objectClass=*)",
    attributes: ["attributeTypes"],
  } as const;
  try {
    const { entries } = await messages.answersTo(connection.send(search(request)));
    const read = entryReader();
    const types = entries.flatMap(({ body }) => read(body).attributes.get("attributetypes") ?? []);
    return types.length === 0 ? undefined : types.flatMap((type) => (typeof type === "string" ? namesOf(type) : []));
  } catch (error) {
    if (error instanceof ResultError) return undefined;
    throw error;
  }
}

/** The names of an operational attribute type; none for a type that users write. */
function namesOf(type: string): string[] {
  const said = type.replace(/\bDESC\s+'[^']*'/, "");
  if (!/\bUSAGE\s+(?:directoryOperation|distributedOperation|dSAOperation)\b/.test(said)) return [];
  const [, names = ""] = /\bNAME\s+(\([^)]*\)|'[^']*')/.exec(said) ?? [];
  return [...names.matchAll(/'([^']+)'/g)].map(([, name = ""]) => attributeName(name));
}
