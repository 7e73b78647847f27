import { z } from "zod";
import { column, Ipv4, Ipv6, Mac, Mail, Prefix, UserName } from "../../core/service/columns.ts";

/** The columns of RADIUS: the user or device, its password, and the reply. */

/** The entry by which a probe learns the content that FreeRADIUS serves; no user may have its name. */
export const probeName = "trigger-probe";

const isMac = (text: string): boolean => text.includes(":");

/**
 * The name of a request: a user, a user with a realm, or a device by its MAC address, in the form with colons.
 * `DEFAULT` would match every user, and a user named like a MAC address in another form could be taken for the device.
 */
export const Identity = column("a user name, a name@realm or a MAC address (aa:bb:cc:dd:ee:ff)", (text) => {
  if (isMac(text)) return Mac.safeParse(text).data;
  if (text === "DEFAULT" || text === probeName || Mac.safeParse(text).success) return undefined;
  return text.includes("@") ? Mail.safeParse(text).data : UserName.safeParse(text).data;
});

/** True if an identity is a device's. */
export const isDevice = (name: string): boolean => isMac(name);

/** A VLAN by number, or by the name that the switches know. */
export const Vlan = column("a VLAN (1 to 4094, or a name of a-z, A-Z, 0-9, . _ and -)", (text) => {
  if (/^[0-9]+$/.test(text)) return /^[1-9][0-9]{0,3}$/.test(text) && Number(text) <= 4094 ? text : undefined;
  return /^[A-Za-z0-9_][A-Za-z0-9._-]{0,31}$/.test(text) ? text : undefined;
});

const base64 = /^(?:[A-Za-z0-9+/]{4}){3,40}(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/;

/** Texts of any language, without control characters and line ends (including U+2028 and U+2029): a single-quoted word of one has no other meaning. */
const isText = (text: string, bytes: number): boolean =>
  text !== "" && Buffer.byteLength(text) <= bytes && text.isWellFormed() && !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(text);

/** The attribute of FreeRADIUS for each form of password. The forms that work with the most methods of authentication come first. */
export const schemes: Readonly<Record<string, { attribute: string; clean(text: string): string | undefined }>> = {
  // RFC 2865, 5.2: a User-Password has at most 128 bytes.
  CLEARTEXT: { attribute: "Cleartext-Password", clean: (text) => (isText(text, 128) ? text : undefined) },
  NT: { attribute: "NT-Password", clean: (text) => (/^[0-9a-f]{32}$/i.test(text) ? text.toLowerCase() : undefined) },
  CRYPT: { attribute: "Crypt-Password", clean: whole(/^[./0-9A-Za-z$=,_-]{13,200}$/) },
  SSHA512: { attribute: "SSHA2-512-Password", clean: whole(base64) },
  SSHA256: { attribute: "SSHA2-256-Password", clean: whole(base64) },
  SSHA: { attribute: "SSHA-Password", clean: whole(base64) },
  SHA: { attribute: "SHA-Password", clean: whole(base64) },
  SMD5: { attribute: "SMD5-Password", clean: whole(base64) },
  MD5: { attribute: "MD5-Password", clean: whole(base64) },
};

function whole(form: RegExp): (text: string) => string | undefined {
  return (text) => (form.test(text) ? text : undefined);
}

/** A password's scheme and value; undefined for a value that FreeRADIUS could not compare with. */
export function readPassword(text: string): { scheme: string; value: string } | undefined {
  const [, given = "", rest = ""] = /^\{([A-Za-z0-9]{1,16})\}(.*)$/s.exec(text) ?? [];
  const upper = given.toUpperCase();
  const scheme = upper === "CLEAR" ? "CLEARTEXT" : upper;
  const value = Object.hasOwn(schemes, scheme) ? schemes[scheme]?.clean(rest) : undefined;
  return value === undefined ? undefined : { scheme, value };
}

function cleanPassword(text: string): string | undefined {
  const read = readPassword(text);
  return read && `{${read.scheme}}${read.value}`;
}

/** A password as directories write it (RFC 2307, 5.3): `{NT}…`, `{CRYPT}…`, `{SSHA}…`, or `{CLEARTEXT}…`. */
export const Password = textColumn(
  `a password that FreeRADIUS can check ({${Object.keys(schemes).join("}, {")}} and its value)`,
  cleanPassword,
);

/** The type of an attribute that a `reply` may have, as in FreeRADIUS's dictionary. */
export type ReplyType = "text" | "number" | "ipv4" | "ipv6" | "prefix";

/** The columns of reply attributes by their types. */
export const replyTypes = {
  text: textColumn("a text of at most 253 bytes without control characters", (text) =>
    isText(text, 253) ? text : undefined,
  ),
  number: column("a number (0 to 4294967295)", (text) =>
    /^(0|[1-9][0-9]{0,9})$/.test(text) && Number(text) <= 0xffffffff ? text : undefined,
  ),
  ipv4: Ipv4,
  ipv6: Ipv6,
  prefix: Prefix,
} as const satisfies Readonly<Record<ReplyType, unknown>>;

/** Like `column`, for texts that may hold spaces and any language. */
function textColumn(what: string, clean: (text: string) => string | undefined) {
  const wrong = `is not ${what}`;
  return z
    .string({ error: ({ input }) => (input === undefined ? "is missing" : wrong) })
    .overwrite((text) => clean(text) ?? text)
    .refine((text) => clean(text) === text, wrong);
}
