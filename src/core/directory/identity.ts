import { identityOfDn } from "./dn.ts";
import type { Attributes } from "./entry.ts";

/** True for an entryUUID (RFC 4530); false for an identity that is a name. */
export const isUuid = (text: string): boolean => /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);

/** The identity of an entry: its entryUUID, or its distinct DN if it has none. */
export function uuidOf(dn: string, attributes: Attributes): string {
  const uuid = attributes.get("entryuuid")?.[0];
  return typeof uuid === "string" && isUuid(uuid) ? uuid.toLowerCase() : identityOfDn(dn);
}
