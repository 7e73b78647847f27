import { attributeName } from "./attributes.ts";
import { type AttributeType, type Schema, standardSchema } from "./schema.ts";

/**
 * The attributes that were requested from a live directory. They distinguish an absent attribute from one that was
 * never requested.
 */
export interface RequestedAttributes {
  /** The attributes of the search: names, `*` for user attributes, `+` for operational ones (RFC 3673). */
  readonly attributes: readonly string[];
  /** The normal names of the operational attributes of the server's schema; undefined if the schema cannot be read. */
  readonly operational?: readonly string[] | undefined;
  /** The attribute types of the server's schema; undefined if it cannot be read. */
  readonly types?: readonly AttributeType[] | undefined;
}

/**
 * Returns the reason why an attribute cannot be read, by its normal name; undefined if it can. A readable attribute
 * without values is absent from the entry.
 */
export type Unread = (name: string) => string | undefined;

const groups =
  'the server computes it and does not report its changes (RFC 4533 carries what is stored): look at the groups, with directory.where("member", entry)';
const below = "the server computes it and does not report its changes: use directory.children(entry)";

/**
 * Operational attributes that a server computes when it answers, each with what to read in its place. 389 stores
 * memberOf: there it is a user attribute.
 */
const computed: ReadonlyMap<string, string> = new Map([
  ["memberof", groups],
  ["ismemberof", groups],
  ["hassubordinates", below],
  ["numsubordinates", below],
  ["entrydn", "the server computes it and does not report its changes: use entry.dn"],
]);

/**
 * Operational attributes of the standards and of common servers, for servers that hide their schema (RFC 4512, 4530,
 * 5020, 3045, 3671; ppolicy; 389).
 */
const wellKnown = [
  ...["structuralObjectClass", "governingStructureRule", "subschemaSubentry", "entryDN", "entryUUID", "entryCSN"],
  ...["creatorsName", "createTimestamp", "modifiersName", "modifyTimestamp", "contextCSN"],
  ...["hasSubordinates", "numSubordinates", "memberOf", "isMemberOf", "collectiveExclusions", "entryTtl"],
  ...["pwdAccountLockedTime", "pwdChangedTime", "pwdFailureTime", "pwdGraceUseTime", "pwdHistory", "pwdReset"],
  ...["pwdPolicySubentry", "pwdStartTime", "pwdEndTime", "pwdLastSuccess", "authTimestamp", "nsRole", "nsRoleDN"],
  ...["nsAccountLock", "accountUnlockTime", "passwordExpirationTime", "passwordRetryCount", "retryCountResetTime"],
].map(attributeName);

/**
 * Returns the reason why a filter (RFC 4515) cannot choose entries: its matches would change without a report by the
 * server. Undefined if it can.
 */
export function computedIn(filter: string, operational: RequestedAttributes["operational"]): string | undefined {
  const hidden = new Set(operational ?? wellKnown);
  // A parenthesis in a value is written \28.
  for (const [, written = ""] of filter.matchAll(/\(\s*([\w;.-]+)\s*(?:[~<>]?=|:)/g)) {
    const name = attributeName(written).split(";", 1)[0] ?? "";
    // A DN changes only by a rename, and a server compares that with the filter.
    if (name !== "entrydn" && hidden.has(name) && computed.has(name))
      return `${written} is in directory.filter, and ${computed.get(name)}`;
  }
  return undefined;
}

/** The test for attributes that cannot be read, from the attributes that were requested. */
export function unreadOf({ attributes, operational }: RequestedAttributes, schema: Schema = standardSchema): Unread {
  const names = new Set(attributes.map(schema.nameOf));
  const hidden = new Set(operational ?? wellKnown);
  const ranges = [...names].filter((name) => name.endsWith("-")); // of language tags (RFC 3866, 3.1): cn;lang-
  return (name) => {
    const type = name.split(";", 1)[0] ?? "";
    const cure = hidden.has(type) ? computed.get(type) : undefined;
    if (cure !== undefined) return cure;
    if (names.has(name) || names.has(type) || names.has(hidden.has(type) ? "+" : "*")) return undefined;
    if (ranges.some((range) => `${name}-`.startsWith(range))) return undefined;
    if (!hidden.has(type) || !names.has("*"))
      return "it was not requested: add it to directory.attributes in the config";
    return `"*" requests user attributes, and it is operational: add it to directory.attributes in the config, ["*", "${type}"]`;
  };
}
