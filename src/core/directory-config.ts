import { normalDn } from "./dn.ts";
import { unknown } from "./nearest.ts";
import { reason } from "./outcome.ts";
import { shown } from "./shown.ts";

/** An LDIF file as the directory. */
export interface LdifDirectory {
  /** An LDIF file (RFC 2849), relative to the config. */
  readonly ldif: string;
}

/** An OpenLDAP server as the directory; files are relative to the config. */
export interface LdapDirectory {
  /** `ldap://host`, `ldaps://host`, or `ldapi:///` for the socket of this machine (`ldapi://%2Fpath` for another one). */
  readonly url: string;
  /** The DN whose subtree is the directory. */
  readonly base: string;
  /** Who reads; left out, whom the system (ldapi) or the certificate says, or nobody in particular. */
  readonly bindDn?: string;
  /** A file with the password of `bindDn`. */
  readonly passwordFile?: string;
  /** Goes on in TLS after connecting in the clear (`ldap://`). */
  readonly startTls?: boolean;
  /** The authorities to trust in place of the system's, in PEM. */
  readonly ca?: string;
  /** The certificate to show and its key, in PEM. */
  readonly cert?: string;
  readonly key?: string;
  /** Which entries are read (RFC 4515); all, by default. That an entry which it leaves out was renamed is seen once a day. */
  readonly filter?: string;
  /** Which attributes are read; all that users write, by default. To read another one refuses the row. Those of disabled accounts are always read. */
  readonly attributes?: readonly string[];
  /** The attributes whose values no two entries may share; looked at by what writes through trigger. */
  readonly unique?: readonly string[];
}

/**
 * Attributes that say of an account that it is disabled, locked or expired. They are asked for by name, beside those of `attributes`:
 * several are operational, which `*` leaves out (RFC 4511, 4.5.1.8). A server ignores the names that it does not know.
 */
export const accountAttributes = [
  ...["pwdAccountLockedTime", "pwdStartTime", "pwdEndTime"], // slapd's ppolicy: operational
  ...["nsAccountLock", "accountUnlockTime"], // 389 Directory Server: operational
  ...["sambaAcctFlags", "sambaKickoffTime", "shadowExpire", "userAccountControl", "accountExpires", "loginDisabled"],
  "krbPrincipalExpiration",
];

/** What is read of every entry, whatever `attributes` says. */
export const alwaysRead = [
  ...["objectClass", "entryUUID", "entryCSN"],
  ...["creatorsName", "createTimestamp", "modifiersName", "modifyTimestamp"],
  ...accountAttributes,
];

const texts = ["url", "base", "bindDn", "passwordFile", "ca", "cert", "key", "filter"];
const lists = ["attributes", "unique"];
const options = [...texts, "startTls", ...lists];

/** Reads the option `directory`; `wrong` is told the first thing that is. */
export function readDirectory(
  directory: Readonly<Record<string, unknown>>,
  wrong: (what: string) => never,
): LdifDirectory | LdapDirectory {
  const text = (name: string): string => {
    const of = directory[name];
    return typeof of === "string" && of !== "" ? of : wrong(`directory.${name}: expected a text, found ${shown(of)}`);
  };
  const isServer = "url" in directory;
  const known = isServer ? options : ["ldif", ...options];
  for (const option of Object.keys(directory)) {
    if (!known.includes(option)) wrong(unknown("option of directory", option, known));
  }
  if (!isServer) {
    const other = Object.keys(directory).find((option) => option !== "ldif");
    if (other) wrong(`directory.${other} is of a server: directory.url is missing`);
    return { ldif: text("ldif") };
  }

  for (const name of texts) if (name in directory) text(name);
  const url = text("url");
  if (!/^(ldaps?:\/\/(\[[0-9a-fA-F:.]+\]|[a-zA-Z0-9.-]+)(:\d+)?\/?|ldapi:\/\/[^/?]*\/?)$/.test(url)) {
    wrong(
      `directory.url: expected ldap://host, ldaps://host or ldapi:///, found ${shown(url.replace(/\/\/.*@/, "//…@"))}`,
    );
  }
  for (const name of ["base", "bindDn"].filter((each) => each in directory)) {
    try {
      normalDn(text(name));
    } catch (error) {
      wrong(`directory.${name}: ${reason(error)}`);
    }
  }
  text("base");
  const { bindDn, passwordFile, startTls = false, cert, key } = directory;
  if (typeof startTls !== "boolean") wrong(`directory.startTls: expected true or false, found ${shown(startTls)}`);
  if (startTls && !url.startsWith("ldap:")) wrong(`directory.startTls is for ldap://, and the url is ${url}`);
  if ((bindDn === undefined) !== (passwordFile === undefined)) {
    wrong("directory.bindDn and directory.passwordFile go together");
  }
  if ((cert === undefined) !== (key === undefined)) wrong("directory.cert and directory.key go together");
  if (passwordFile !== undefined && !startTls && url.startsWith("ldap:") && !isHere(url)) {
    wrong(`directory: the password would travel in the clear to ${url}: use ldaps:// or startTls: true`);
  }
  for (const option of lists) {
    const names = directory[option] ?? [];
    if (Array.isArray(names) && names.every((name) => typeof name === "string" && name !== "")) continue;
    wrong(`directory.${option}: expected a list of names, found ${shown(names)}`);
  }
  const byClass = (directory.attributes as readonly string[] | undefined)?.find((name) => name.startsWith("@"));
  if (byClass) wrong(`directory.attributes: ${byClass} names a class (RFC 4529): name the attributes that are read`);
  return directory as unknown as LdapDirectory;
}

const isHere = (url: string): boolean => /^ldap:\/\/(localhost|127\.[0-9.]+|\[::1\])(:|\/|$)/i.test(url);
