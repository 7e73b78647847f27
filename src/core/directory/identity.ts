import { identityOfDn } from "./dn.ts";
import type { Attributes } from "./entry.ts";

/** Whether what an entry is known by is an entryUUID (RFC 4530), and not its name. */
export const isUuid = (text: string): boolean => /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);

/** What an entry is known by: its entryUUID, or its normal DN where there is none. */
export function uuidOf(dn: string, attributes: Attributes): string {
  const uuid = attributes.get("entryuuid")?.[0];
  return typeof uuid === "string" && isUuid(uuid) ? uuid.toLowerCase() : identityOfDn(dn);
}
