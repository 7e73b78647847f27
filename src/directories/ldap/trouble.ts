import { reason } from "../../core/util/errors.ts";
import { type Access, NoConnection } from "./connection.ts";
import { ResultError } from "./result.ts";
import { exportInstead } from "./server.ts";

/** Explanations for an administrator: the reason why a directory cannot be read, and the setting to change. */

export type Reader = Access & { readonly base: string };

/** The results of LDAP (RFC 4511, appendix A; RFC 4533, 3.2) that a reader meets, and the remedy of each. */
const results: Readonly<Record<number, readonly [name: string, remedy: (reader: Reader) => string]>> = {
  // 389 Directory Server gives this result for the empty "and" (RFC 4526). Its root DSE identifies it, if the reader may read that.
  2: ["protocolError", () => `the server does not understand a request of OpenLDAP's kind: ${exportInstead}`],
  3: ["timeLimitExceeded", (reader) => `slapd needs: ${limits(reader)}`],
  4: ["sizeLimitExceeded", (reader) => `slapd needs: ${limits(reader)}`],
  7: [
    "authMethodNotSupported",
    ({ url, cert }) =>
      cert && !url.startsWith("ldapi:")
        ? 'slapd asks for a certificate with "TLSVerifyClient try" (olcTLSVerifyClient), and must know its authority'
        : "the server does not accept this kind of bind",
  ],
  8: ["strongerAuthRequired", () => "the server wants TLS: use ldaps:// or startTls: true"],
  10: ["referral", ({ base }) => `another server has ${base}: name that one in directory.url`],
  // "unlimited" alone does not lift the limit of candidates that a search may examine.
  11: [
    "adminLimitExceeded",
    (reader) => `slapd needs: ${limits(reader)} size.unchecked=unlimited, and no lower "limits" before it`,
  ],
  12: ["unavailableCriticalExtension", ({ base }) => `slapd needs "overlay syncprov" in the database of ${base}`],
  13: ["confidentialityRequired", () => "the server wants TLS: use ldaps:// or startTls: true"],
  32: [
    "noSuchObject",
    (reader) =>
      `there is no ${reader.base}, or ${who(reader)} may not see it: look at directory.base and at slapd's "access"`,
  ],
  34: ["invalidDNSyntax", () => "look at directory.base and directory.bindDn"],
  48: ["inappropriateAuthentication", () => "look at directory.bindDn and at the password's file"],
  49: ["invalidCredentials", () => "look at directory.bindDn and at the password's file"],
  50: ["insufficientAccessRights", (reader) => `slapd's "access" must let ${who(reader)} read ${reader.base}`],
  51: ["busy", () => "trigger tries again"],
  52: ["unavailable", () => "the server is shutting down or starting; trigger tries again"],
  53: ["unwillingToPerform", () => "an anonymous reader may not be allowed: set directory.bindDn"],
  4096: ["syncRefreshRequired", () => "trigger reads it whole again"],
};

/** The reason why a directory cannot be read, for an administrator. It has no password, as no error has one. */
export function sayTrouble(error: unknown, reader: Reader): string {
  const step = error instanceof NoConnection ? error.step : undefined;
  const cause = error instanceof NoConnection ? error.cause : error;
  const what = step === undefined ? reader.url : `${reader.url}: ${steps(reader)[step]}`;
  if (cause instanceof ResultError) {
    const [name, remedy] = results[cause.code] ?? ["an error", () => "look at slapd's log"];
    const words = cause.message === "" ? "" : ` (${JSON.stringify(cause.message)})`;
    const advice = step === "StartTLS" ? "slapd needs TLSCertificateFile and TLSCertificateKeyFile" : remedy(reader);
    return `${what}: result ${cause.code} ${name}${words}: ${advice}`;
  }
  const code = (cause as NodeJS.ErrnoException)?.code ?? "";
  const advice = networkRemedies.find(([pattern]) => pattern.test(code))?.[1];
  const why = reason(cause).replace(/; if the root CA is installed locally.*$/, ""); // Node's own advice names an option of Node
  return `${what}: ${why}${advice ? `: ${advice}` : ""}`;
}

/** True if an early retry can do harm: wrong credentials may lock the account. */
export const asksForCare = (error: unknown): boolean =>
  error instanceof NoConnection && error.cause instanceof ResultError && [48, 49, 53].includes(error.cause.code);

/** The identity with which the directory is read. */
export const who = ({ bindDn, url, cert }: Access): string =>
  bindDn ?? (url.startsWith("ldapi:") ? "this process's user" : cert ? "the certificate's owner" : "anonymous");

const limits = (reader: Reader): string =>
  reader.bindDn === undefined
    ? `limits ${who(reader) === "anonymous" ? "anonymous" : 'dn.exact="<the DN of the reader>"'} size=unlimited time=unlimited`
    : `limits dn.exact="${reader.bindDn}" size=unlimited time=unlimited`;

const steps = (reader: Reader) => ({
  connect: "no connection",
  StartTLS: "StartTLS failed",
  bind: `the bind as ${who(reader)} failed`,
});

const networkRemedies: readonly (readonly [RegExp, string])[] = [
  [/^(ECONNREFUSED|ENOENT)$/, "is slapd running, and listening there?"],
  [/^(ENOTFOUND|EAI_AGAIN)$/, "look at the host's name in directory.url"],
  [/^(EACCES|EPERM)$/, "this user may not open the socket"],
  [
    /^CERT_HAS_EXPIRED$/,
    "give the server a renewed certificate and restart it; if its date is not past, look at this machine's clock",
  ],
  [
    /^CERT_NOT_YET_VALID$/,
    "look at the clock of this machine; if it is right, at the day on which the server's certificate begins",
  ],
  [
    /ALTNAME/,
    "name the host in directory.url as the certificate does, or give the server one with that subjectAltName",
  ],
  [/CERT|SIGN|ISSUER/, "name the authority that signed the server's certificate in directory.ca"],
  [/^(EPROTO|ERR_SSL)/, "is it the port of ldaps? ldap:// and startTls use another"],
];
