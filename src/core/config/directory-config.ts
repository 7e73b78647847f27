import { z } from "zod";
import { normalDn } from "../directory/dn.ts";
import { reason } from "../util/errors.ts";
import { expected, options, readOptions, rule, text, together, yesOrNo } from "./options.ts";
import { isThisMachine } from "./this-machine.ts";

/** An LDIF file as the directory. */
export interface LdifDirectory {
  /** An LDIF file (RFC 2849), relative to the config. */
  readonly ldif: string;
}

/** An OpenLDAP server as the directory; files are relative to the config. */
export interface LdapDirectory {
  /** `ldap://host:port`, `ldaps://host:port`, or `ldapi:///` for the socket of this machine (`ldapi://%2Fpath` for another one). */
  readonly url: string;
  /** The DN whose subtree is the directory. */
  readonly base: string;
  /**
   * The DN to bind as, with `passwordFile`. If left out, the bind is by the system's user (ldapi), by the certificate,
   * or anonymous; an anonymous reader on another machine needs `insecure`.
   */
  readonly bindDn?: string;
  /** A file with the password of `bindDn`. The password is sent only over TLS or within this machine, except with `insecure`. */
  readonly passwordFile?: string;
  /** True to upgrade a plain connection (`ldap://`) to TLS. False by default. */
  readonly startTls?: boolean;
  /** A file with the certificate authorities to trust in place of the system's (PEM). */
  readonly ca?: string;
  /** A file with the certificate to show (PEM); it needs `key`. */
  readonly cert?: string;
  /** A file with the key of `cert` (PEM). */
  readonly key?: string;
  /**
   * The filter of the entries that are read (RFC 4515); all by default. A rename of an excluded entry is noticed only
   * once a day.
   */
  readonly filter?: string;
  /**
   * The names of the attributes that are read; all user attributes by default. A `select` that reads another one
   * refuses its row. The attributes of disabled accounts are always read.
   */
  readonly attributes?: readonly string[];
  /**
   * The attributes whose values no two entries may share; none by default. Programs that write through trigger check
   * them.
   */
  readonly unique?: readonly string[];
  /**
   * True to allow a connection to another machine in the clear (`ldap://` without `startTls`) or anonymous. An attacker
   * on the way can then write the configuration of every host, and learns the password. False by default.
   */
  readonly insecure?: boolean;
}

/**
 * Attributes that mark an account as disabled, locked or expired. The search names them beside those of `attributes`:
 * several are operational, and `*` leaves those out (RFC 4511, 4.5.1.8). A server ignores unknown names.
 */
export const accountAttributes = [
  ...["pwdAccountLockedTime", "pwdStartTime", "pwdEndTime"], // slapd's ppolicy: operational
  ...["nsAccountLock", "accountUnlockTime"], // 389 Directory Server: operational
  ...["sambaAcctFlags", "sambaKickoffTime", "shadowExpire", "userAccountControl", "accountExpires", "loginDisabled"],
  "krbPrincipalExpiration",
];

/** The attributes that are read of every entry, beside those of `attributes`. */
export const alwaysRead = [
  ...["objectClass", "entryUUID", "entryCSN"],
  ...["creatorsName", "createTimestamp", "modifiersName", "modifyTimestamp"],
  ...accountAttributes,
];

const serverUrl = /^(ldaps?:\/\/(\[[0-9a-fA-F:.]+\]|[a-zA-Z0-9.-]+)(:\d+)?\/?|ldapi:\/\/[^/?]*\/?)$/;
const dn = text.check(rule(wrongDn));
const names = expected("a list of names", z.array(text));

/** The options of a file and of a server together, to detect a mixture of both. */
type Mixed = Partial<LdifDirectory & LdapDirectory>;

/** The schema of `directory`. */
export const directorySchema = options<Mixed>({
  ldif: text.optional(),
  url: expected("ldap://host, ldaps://host or ldapi:///", z.string().regex(serverUrl)).optional(),
  base: dn.optional(),
  bindDn: dn.optional(),
  passwordFile: text.optional(),
  startTls: yesOrNo.optional(),
  ca: text.optional(),
  cert: text.optional(),
  key: text.optional(),
  filter: text.optional(),
  attributes: names.check(rule(wrongAttributes)).optional(),
  unique: names.optional(),
  insecure: yesOrNo.optional(),
})
  .check(rule(wrongMixture), together("bindDn", "passwordFile"), together("cert", "key"), rule(wrongSecrecy))
  .transform((directory) => directory as LdifDirectory | LdapDirectory);

/**
 * Reads the option `directory`. The first mistake is a `UserError` that begins with `source`: the file, or the caller.
 */
export const readDirectory = (directory: unknown, source: string): LdifDirectory | LdapDirectory =>
  readOptions(z.object({ directory: directorySchema }), { directory }, source).directory;

function wrongDn(text: string, place: string): string | undefined {
  try {
    normalDn(text);
    return undefined;
  } catch (error) {
    return `${place}: ${reason(error)}`;
  }
}

function wrongAttributes(names: readonly string[], place: string): string | undefined {
  const byClass = names.find((name) => name.startsWith("@"));
  return byClass && `${place}: ${byClass} names a class (RFC 4529): list its attributes instead`;
}

function wrongMixture({ ldif, ...server }: Mixed, place: string): string | undefined {
  const other = Object.entries(server).find(([, value]) => value !== undefined)?.[0];
  if (!server.url && other) return `${place}.${other} is an option of a server, but ${place}.url is missing`;
  if (server.url && ldif) return `${place}.ldif and ${place}.url: the directory is either a file or a server`;
  const [required, value] = server.url ? ["base", server.base] : ["ldif", ldif];
  return value ? undefined : `${place}.${required}: expected a text, found nothing`;
}

/** Refuses a connection to another machine in the clear, or anonymous. */
function wrongSecrecy({ url = "", startTls, ...reader }: Mixed, place: string): string | undefined {
  const isClear = url.startsWith("ldap:");
  if (startTls && !isClear) return `${place}.startTls is for ldap://, and the url is ${url}`;
  const [, host = ""] = /^ldaps?:\/\/(\[[^\]]*\]|[^:/]*)/.exec(url) ?? [];
  if (reader.insecure || host === "" || isThisMachine(host)) return undefined;
  const accept = `or accept that with ${place}.insecure: true`;
  if (isClear && !startTls) {
    const content = reader.passwordFile ? "the password" : "the directory";
    return `${place}: ${content} would travel in the clear to ${url}: use ldaps:// or startTls: true, ${accept}`;
  }
  if (reader.bindDn !== undefined || reader.cert !== undefined) return undefined;
  return `${place}: the reader would be anonymous at ${url}: set bindDn and passwordFile, or cert and key, ${accept}`;
}
