import { z } from "zod";
import { attributeName } from "../../core/directory/attributes.ts";
import type { Directory, Entry } from "../../core/directory/entry.ts";
import { DomainName } from "../../core/service/columns.ts";
import type { Select } from "../../core/service/service.ts";
import { Refusal, refusedBecause, UserError } from "../../core/util/errors.ts";
import { selecting } from "../entries.ts";
import { readSettings, type Selected } from "../settings.ts";

/** An alias and its recipients, as a `select` gives them. */
export type AliasRow = {
  /** A mail address, or a name alone. */
  readonly alias: string;
  /** The recipients: mail addresses or local users, at least one. */
  readonly to: readonly string[];
};

/** The columns in the refusal of an address that no person may have as an alias: its domain, or its local part. */
export const notTheirs: readonly string[] = ["domains", "reserved"];

/** The rule that selects the aliases among the addresses of people's `mail`. */
export interface OfPeople {
  /** The domains of people's aliases: `["campus.example"]`. An address in another domain, or a name alone, becomes no alias. */
  readonly domains?: readonly string[];
  /** The local parts that no person's `mail` may have; by default names of functions and system users such as `root`, `postmaster` and `abuse`. Alias entries may have them. */
  readonly reserved?: readonly string[];
}

/**
 * Local parts for functions of a domain or a machine, and not for persons. They are the mailboxes of RFC 2142, senders of
 * mail programs, and Debian's system users. They include those by which a certificate authority verifies a domain (CA/Browser
 * Forum, Baseline Requirements, 3.2.2.4.4).
 */
export const reservedNames: readonly string[] = [
  "abuse hostmaster noc postmaster security webmaster www ftp news usenet uucp info marketing sales support",
  "admin administrator ssladmin sysadmin mailer-daemon double-bounce bounce noreply no-reply listmaster majordomo",
  "root daemon bin sys sync games man lp mail proxy www-data backup list irc gnats nobody _apt messagebus",
  "systemd-network systemd-resolve systemd-timesync sshd postfix dovecot bind freerad openldap rabbitmq mysql postgres",
].flatMap((line) => line.split(" "));

const settings = z.strictObject({
  domains: z.array(DomainName).optional(),
  reserved: z
    .array(z.string().regex(/^[^\s@+]+$/, "is no local part of an address"))
    .default([...reservedNames])
    .transform((names) => new Set(names.map((name) => name.toLowerCase()))),
});

/** The `select` of `postfix`: the site's own, or the aliases of alias entries and of people. */
export function aliases(
  { domains, reserved }: OfPeople,
  selected: { readonly [option in keyof Selected<AliasRow>]: Selected<AliasRow>[option] | undefined },
): Select<AliasRow> {
  const given = { ...(domains && { domains: [...domains] }), ...(reserved && { reserved: [...reserved] }) };
  if (selected.select && Object.keys(given).length > 0) {
    throw new UserError("postfix: domains and reserved apply to the standard select: write them into your own select");
  }
  const read = readSettings("postfix", settings, given, [])("");
  const names = Object.entries(selected.entries?.attributes ?? {});
  const uid = names.find(([standard]) => attributeName(standard) === "uid")?.[1] ?? "uid";
  const standard: Select<AliasRow> = (entry, directory) => {
    if (entry.is("nisMailAlias")) return ofAliasEntry(entry);
    return entry.is("inetOrgPerson") && entry.is("posixAccount") ? ofPerson(entry, directory) : undefined;
  };
  return selecting("postfix", standard, selected);

  /** The aliases of a person: only in the given domains, and no name that is reserved or belongs to another account. */
  function ofPerson(entry: Entry, directory: Directory): AliasRow[] {
    const mails = entry.all("mail");
    if (mails.length > 0 && read.domains === undefined) {
      throw new Refusal(
        `domains: mail ${mails[0]} is an alias only if its domain is in postfix({ domains: [...] }); [] means none`,
        { about: "domains" },
      );
    }
    const own = mails.filter((mail) => read.domains?.includes(domainOf(mail)));
    return own.map((alias) => {
      const why = whyNot(alias, entry, directory);
      return { alias, to: [entry.one("uid")], ...(why !== undefined && { [refusedBecause]: why }) };
    });
  }

  /** The reason why a person's address is no alias; the person's other addresses may be. */
  function whyNot(mail: string, { uuid }: Entry, directory: Directory): Refusal | undefined {
    const local = mail.slice(0, mail.lastIndexOf("@")).trim().toLowerCase();
    const bare = local.split("+", 1)[0] ?? "";
    if (read.reserved.has(bare) || /^owner-|-(?:request|owner)$/.test(bare)) {
      const why = `reserved: mail ${mail}: an alias entry (nisMailAlias) may have it, or set postfix({ reserved })`;
      return new Refusal(why, { about: "reserved" });
    }
    const other = directory.where(uid, bare).find((one) => one.uuid !== uuid && one.is("posixAccount"));
    if (!other) return undefined;
    return new Refusal(`mail: ${mail} has the user name of ${other.dn}: an alias entry (nisMailAlias) may have it`);
  }
}

/** The aliases of nisMailAlias: each of its names. A user who may write such entries may write any alias. */
function ofAliasEntry(entry: Entry): AliasRow[] | undefined {
  if (!entry.has("rfc822MailMember")) return undefined;
  const to = entry.all("rfc822MailMember"); // one list for all names
  return entry.all("cn").map((alias) => ({ alias, to }));
}

const domainOf = (mail: string): string =>
  mail
    .slice(mail.lastIndexOf("@") + 1)
    .trim()
    .toLowerCase();
