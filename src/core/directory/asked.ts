import { attributeName } from "./attributes.ts";

/** The attributes that were asked of a live directory. They tell an attribute that is absent from one that was never asked for. */
export interface AskedAttributes {
  /** The attributes of the search: names, `*` for user attributes, `+` for operational ones (RFC 3673). */
  readonly attributes: readonly string[];
  /** The normal names of the operational attributes of the server's schema; undefined where that cannot be read. */
  readonly operational?: readonly string[] | undefined;
}

/**
 * The reason why an attribute cannot be read, by its normal name. Undefined for an attribute that can be read; if it is
 * not shown, it is absent.
 */
export type Unread = (name: string) => string | undefined;

const groups =
  'the server computes it and tells no change of it (RFC 4533 carries what is stored): look at the groups, with directory.where("member", entry)';
const below = "the server computes it and tells no change of it: use directory.children(entry)";

/** Operational attributes that a server computes when it answers, each with what to read in its place. 389 stores its memberOf: there it is a user attribute. */
const computed: ReadonlyMap<string, string> = new Map([
  ["memberof", groups],
  ["ismemberof", groups],
  ["hassubordinates", below],
  ["numsubordinates", below],
  ["entrydn", "the server computes it and tells no change of it: use entry.dn"],
]);

/** Operational attributes of the standards and of common servers, for where the schema is hidden (RFC 4512, 4530, 5020, 3045, 3671; ppolicy; 389). */
const wellKnown = [
  ...["structuralObjectClass", "governingStructureRule", "subschemaSubentry", "entryDN", "entryUUID", "entryCSN"],
  ...["creatorsName", "createTimestamp", "modifiersName", "modifyTimestamp", "contextCSN"],
  ...["hasSubordinates", "numSubordinates", "memberOf", "isMemberOf", "collectiveExclusions", "entryTtl"],
  ...["pwdAccountLockedTime", "pwdChangedTime", "pwdFailureTime", "pwdGraceUseTime", "pwdHistory", "pwdReset"],
  ...["pwdPolicySubentry", "pwdStartTime", "pwdEndTime", "pwdLastSuccess", "authTimestamp", "nsRole", "nsRoleDN"],
  ...["nsAccountLock", "accountUnlockTime", "passwordExpirationTime", "passwordRetryCount", "retryCountResetTime"],
].map(attributeName);

/**
 * The reason why a filter (RFC 4515) cannot choose entries: the matching ones would change and no server would tell.
 * Undefined if it can.
 */
export function computedIn(filter: string, operational: AskedAttributes["operational"]): string | undefined {
  const hidden = new Set(operational ?? wellKnown);
  // A parenthesis in a value is written \28.
  for (const [, written = ""] of filter.matchAll(/\(\s*([\w;.-]+)\s*(?:[~<>]?=|:)/g)) {
    const name = attributeName(written).split(";", 1)[0] ?? "";
    // A name moves by a rename, which the server looks at.
    if (name !== "entrydn" && hidden.has(name) && computed.has(name))
      return `${written} is in directory.filter, and ${computed.get(name)}`;
  }
  return undefined;
}

/** The attributes that cannot be read from a directory, by the attributes that were asked. */
export function unreadOf({ attributes, operational }: AskedAttributes): Unread {
  const names = new Set(attributes.map(attributeName));
  const hidden = new Set(operational ?? wellKnown);
  const ranges = [...names].filter((name) => name.endsWith("-")); // of language tags (RFC 3866, 3.1): cn;lang-
  return (name) => {
    const type = name.split(";", 1)[0] ?? "";
    const cure = hidden.has(type) ? computed.get(type) : undefined;
    if (cure !== undefined) return cure;
    if (names.has(name) || names.has(type) || names.has(hidden.has(type) ? "+" : "*")) return undefined;
    if (ranges.some((range) => `${name}-`.startsWith(range))) return undefined;
    if (!hidden.has(type) || !names.has("*"))
      return "it is not asked for: add it to directory.attributes in the config";
    return `"*" asks for user attributes and it is operational: add it to directory.attributes in the config, ["*", "${type}"]`;
  };
}
