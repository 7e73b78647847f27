import type { Directory, Entry } from "../../core/directory/entry.ts";
import { Mac } from "../../core/service/columns.ts";
import type { Select } from "../../core/service/service.ts";
import { NotRead, Refusal } from "../../core/util/errors.ts";
import { account } from "../account.ts";
import { readPassword, schemes } from "./columns.ts";
import type { RadiusUser } from "./users.ts";

/** The attributes of a reply besides the VLAN, with their types, by default. */
export const commonReply = {
  "Session-Timeout": "number",
  "Idle-Timeout": "number",
  "Filter-Id": "text",
  "Framed-IP-Address": "ipv4",
} as const;

/** The LDAP attributes (FreeRADIUS's schema, radiusprofile) of the common reply. */
const profile = {
  "Session-Timeout": "radiusSessionTimeout",
  "Idle-Timeout": "radiusIdleTimeout",
  "Filter-Id": "radiusFilterId",
  "Framed-IP-Address": "radiusFramedIPAddress",
} as const satisfies Record<keyof typeof commonReply, string>;

/**
 * Usable accounts with a password that FreeRADIUS can check, and devices if requested; with the VLAN and the reply of a
 * radiusprofile.
 */
export const accounts =
  (devices: boolean): Select<RadiusUser> =>
  (entry, directory) => {
    const isProfile = entry.is("radiusprofile");
    const isDevice = entry.is("ieee802Device");
    const isUser = entry.has("uid") && (isProfile || entry.is("posixAccount"));
    if (!(isDevice ? devices : isUser) || !about("account", () => isLetIn(entry, directory))) return;
    // The password is read before the reply: if both are wrong, the reason begins with the password, which removes the row.
    const password = isDevice ? undefined : about("password", () => passwordOf(entry));
    if (!isDevice && password === undefined) return;
    const vlan = isProfile ? entry.maybe("radiusTunnelPrivateGroupId") : undefined;
    const said = Object.entries(isProfile ? profile : {}).flatMap(([name, attribute]) => {
      const value = entry.maybe(attribute);
      return value === undefined ? [] : [[name, value] as const];
    });
    const answer = {
      ...(vlan === undefined ? {} : { vlan }),
      ...(said.length > 0 ? { reply: Object.fromEntries(said) } : {}),
    };
    if (isDevice) {
      return entry.all("macAddress").map((mac) => ({ name: Mac.safeParse(mac).data ?? mac, ...answer }));
    }
    return { name: entry.one("uid"), password, ...answer };
  };

/** False if the entry locks its account out. */
const isLetIn = (entry: Entry, directory: Directory): boolean =>
  !(entry.is("radiusprofile") && entry.maybe("dialupAccess")?.toLowerCase() === "false") &&
  account(entry).usable(directory);

/** The password that works with the most methods of authentication; undefined without any, or with only a locked one. */
function passwordOf(entry: Entry): string | undefined {
  const nt = entry.maybe("sambaNTPassword");
  const values = nt === undefined ? entry.all("userPassword") : [`{NT}${nt}`];
  const usable = values
    .map((value) => readPassword(/^\{[^}]*\}/.test(value) ? value : `{CLEARTEXT}${value}`))
    .filter((password) => password !== undefined);
  const [best] = Object.keys(schemes).flatMap((scheme) => usable.filter((password) => password.scheme === scheme));
  if (best) return `{${best.scheme}}${best.value}`;
  if (entry.is("radiusprofile") && values.some((value) => !isLocked(value)))
    throw new Refusal("neither userPassword nor sambaNTPassword has a form that FreeRADIUS can check");
  return undefined;
}

/** The value, or a refusal about it. A `NotRead` error is no fault of the account, and passes unchanged. */
function about<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof Refusal && !(error instanceof NotRead)
      ? new Refusal(`${what}: ${error.message}`, { about: [what, ...error.about] })
      : error;
  }
}

/** True for a `!` or `*` before or in place of the hash, by which usermod(8) and editors of directories lock a password: `{CRYPT}!$6$…`. */
const isLocked = (password: string): boolean => /^\{[^}]*\}[!*]/.test(password);
