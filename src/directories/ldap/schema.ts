import { attributeName } from "../../core/directory/attributes.ts";
import type { AttributeType } from "../../core/directory/schema.ts";
import type { Connection } from "./connection.ts";
import { entryReader } from "./entry.ts";
import type { MessageReader } from "./message-reader.ts";
import { search } from "./requests.ts";
import { ResultError } from "./result.ts";

/** A server's schema, as far as a reader needs it. */
export interface ServerSchema {
  readonly types: readonly AttributeType[];
  /** The normal names of the attributes that the schema calls operational (RFC 4512, 4.1.2). */
  readonly operational: readonly string[];
}

/** Reads the attribute types of a server's schema; undefined if they cannot be read. */
export async function readSchema(
  connection: Connection,
  messages: MessageReader,
  subschema: string,
): Promise<ServerSchema | undefined> {
  const request = {
    base: subschema,
    scope: "base",
    filter: "(objectClass=*)",
    attributes: ["attributeTypes"],
  } as const;
  try {
    const { entries } = await messages.answersTo(connection.send(search(request)));
    const read = entryReader();
    const texts = entries.flatMap(({ body }) => read(body).attributes.get("attributetypes") ?? []);
    return texts.length === 0 ? undefined : serverSchema(texts.filter((text) => typeof text === "string"));
  } catch (error) {
    if (error instanceof ResultError) return undefined;
    throw error;
  }
}

/** The schema of attribute type descriptions (RFC 4512, 4.1.2). A type without an equality rule has that of its supertype. */
export function serverSchema(descriptions: readonly string[]): ServerSchema {
  const described = descriptions.map(readDescription).sort((a, b) => (a.names.join() < b.names.join() ? -1 : 1));
  const byName = new Map(described.flatMap((type) => type.names.map((name) => [name.toLowerCase(), type] as const)));
  const equalityOf = (type: Description | undefined, depth = 0): string | undefined =>
    type?.equality ??
    (type?.above === undefined || depth > deepest ? undefined : equalityOf(byName.get(type.above), depth + 1));
  return {
    types: described.map((type) => ({ names: type.names, equality: equalityOf(type) })),
    operational: described.flatMap(({ names, operational }) => (operational ? names.map(attributeName) : [])),
  };
}

/** The most supertypes of a type that are looked at. */
const deepest = 100;

interface Description {
  /** The names, and the object identifier at the end. */
  readonly names: readonly string[];
  readonly equality: string | undefined;
  /** The supertype, in lower case. */
  readonly above: string | undefined;
  readonly operational: boolean;
}

function readDescription(text: string): Description {
  const words: readonly string[] = text.match(/'[^']*'|[()]|[^\s()']+/g) ?? [];
  const after = (keyword: string): string | undefined => {
    const at = words.indexOf(keyword);
    return at < 0 ? undefined : words[at + 1];
  };
  const names: string[] = [];
  const start = words.indexOf("NAME") + 1;
  for (let at = words[start] === "(" ? start + 1 : start; start > 0 && words[at]?.startsWith("'"); at++) {
    names.push((words[at] ?? "").slice(1, -1));
    if (words[start] !== "(") break;
  }
  return {
    names: [...names, ...(words[1] === undefined ? [] : [words[1]])],
    equality: after("EQUALITY"),
    above: after("SUP")?.toLowerCase(),
    operational: /^(?:directoryOperation|distributedOperation|dSAOperation)$/.test(after("USAGE") ?? ""),
  };
}
