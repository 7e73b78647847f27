import type { Entry } from "./directory.ts";

/**
 * The lines that each service must serve, computed in the simplest way from the directory. It uses no code of trigger.
 */

export interface Expected {
  /** The lines that must be served. */
  readonly lines: ReadonlySet<string>;
  /** The UUIDs of the entries with a row that must be refused. */
  readonly refused: ReadonlySet<string>;
}

export type ServiceName = "names" | "people" | "dns" | "dhcp" | "aliases";

interface Row {
  readonly uuid: string;
  /** The unique claims: values that no two rows may share. */
  readonly claims: readonly string[];
  readonly lines: readonly string[];
}

/**
 * The expected lines at a time `at`, in milliseconds since 1970. Without `at`: all lines that could be served at any
 * time, regardless of terms, bans and duplicate claims.
 */
export function expected(entries: readonly Entry[], at?: number): Record<ServiceName, Expected> {
  const look = lookInto(entries, at);
  const settle = (some: readonly Entry[], rowsOf: RowsOf): Expected => settled(some, rowsOf, at !== undefined);
  const machines = entries.filter((entry) => isOf(entry, "ipHost") && look.hasAccess(entry));
  return {
    names: settle(machines, (machine) => {
      const [name, ip] = [hostname(nameOf(machine)), single(machine, "ipHostNumber")];
      return name !== undefined && ip !== undefined
        ? [{ claims: [`name ${name}`, `ip ${ip}`], lines: [`${machine.uuid} ${name} ${ip}`] }]
        : undefined;
    }),
    dns: settle(machines, (machine) => {
      const name = hostname(nameOf(machine));
      const ips = valuesOf(machine, "ipHostNumber");
      if (name === undefined) return undefined;
      const lines = ips.flatMap((ip) => [`${name} A ${ip}`, `${ip} PTR ${name}`]);
      return [{ claims: [`name ${name}`, ...ips.map((ip) => `ip ${ip}`)], lines }];
    }),
    dhcp: settle(machines, (machine) => {
      const [name, ip] = [hostname(nameOf(machine)), single(machine, "ipHostNumber")];
      const mac = single(machine, "macAddress")?.replaceAll("-", ":");
      if (name === undefined || ip === undefined || mac === undefined) return undefined;
      return [{ claims: [`mac ${mac}`, `ip ${ip}`], lines: [`${mac} ${ip} ${name}`] }];
    }),
    people: settle(
      entries.filter((entry) => isOf(entry, "inetOrgPerson")),
      (member) => {
        const uid = single(member, "uid");
        const below = look.below(member).filter((entry) => isOf(entry, "ipHost")).length;
        const fields = [member.uuid, uid, single(member, "cn"), nameOf(look.above(member)), below];
        return [{ claims: [`uid ${uid}`], lines: [JSON.stringify(fields)] }];
      },
    ),
    aliases: settle(
      entries.filter((entry) => isOf(entry, "nisMailAlias")),
      (entry) => {
        const to = [...valuesOf(entry, "rfc822MailMember")].sort().join(", ");
        const aliases = valuesOf(entry, "cn").map((alias) => alias.toLowerCase());
        return aliases.map((alias) => ({ claims: [`alias ${alias}`], lines: [`${alias} ${to}`] }));
      },
    ),
  };
}

/** The unique claims of a served line. */
export function claimsOf(service: ServiceName, line: string): string[] {
  const [first = "", second = "", third = ""] = line.split(" ");
  if (service === "names") return [`name ${second}`, `ip ${third}`];
  if (service === "dns") return second === "A" ? [`name ${first}`, `ip ${third}`] : [`name ${third}`, `ip ${first}`];
  if (service === "dhcp") return [`mac ${first}`, `ip ${second}`];
  if (service === "people") return [`uid ${JSON.parse(line)[1]}`];
  return [`alias ${first}`];
}

type RowsOf = (entry: Entry) => Omit<Row, "uuid">[] | undefined;

/** The rows of some entries; none for an entry that is no row. If `alone`, rows with a duplicate claim are left out. */
function settled(entries: readonly Entry[], rowsOf: RowsOf, alone: boolean): Expected {
  const refused = new Set<string>();
  const rows = entries.flatMap((entry): Row[] => {
    const found = rowsOf(entry);
    if (!found) refused.add(entry.uuid);
    return (found ?? []).map((row) => ({ ...row, uuid: entry.uuid }));
  });
  const claims = new Map<string, number>();
  for (const claim of rows.flatMap((row) => row.claims)) claims.set(claim, (claims.get(claim) ?? 0) + 1);
  const isContested = (row: Row): boolean => alone && row.claims.some((claim) => (claims.get(claim) ?? 0) > 1);
  for (const row of rows.filter(isContested)) refused.add(row.uuid);
  return { lines: new Set(rows.filter((row) => !isContested(row)).flatMap((row) => row.lines)), refused };
}

function lookInto(entries: readonly Entry[], at: number | undefined) {
  const byDn = new Map(entries.map((entry) => [fold(entry.dn), entry]));
  const bans = entries.filter((entry) => isOf(entry, "campusBan"));
  const parents = new Map(entries.map((entry) => [entry, byDn.get(fold(entry.dn.replace(/^(?:[^\\,]|\\.)*,/s, "")))]));
  const above = (entry: Entry): Entry | undefined => parents.get(entry);
  const isBefore = (date: string | undefined): boolean =>
    at === undefined || date === undefined || at < Date.parse(date.replace(zoned, "$1-$2-$3T$4:$5:$6Z"));
  return {
    above,
    below: (entry: Entry): Entry[] => entries.filter((one) => above(one) === entry),
    hasAccess(machine: Entry): boolean {
      const named = valuesOf(machine, "owner").flatMap((dn) => byDn.get(fold(dn)) ?? []);
      const owner = named[0] ?? above(machine);
      if (!owner || !isBefore(single(owner, "paidUntil"))) return false;
      const own = bans.filter((ban) => fold(single(ban, "bannedMember") ?? "") === fold(owner.dn));
      return at === undefined || !own.some((ban) => isBefore(single(ban, "banEnd")));
    },
  };
}

const zoned = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/;

/** A DN in one normal form, independent of case and escapes. */
function fold(dn: string): string {
  const bytes = dn.replaceAll(/(?:\\[0-9a-f]{2})+/gi, (codes) => {
    const text = Buffer.from(codes.replaceAll("\\", ""), "hex").toString();
    return text.replaceAll(/[\\,+"<>;=]/g, (sign) => `\\${sign}`);
  });
  return bytes.normalize("NFKC").toLowerCase();
}

const valuesOf = (entry: Entry, name: string): readonly string[] => entry.attributes.get(name.toLowerCase()) ?? [];
const single = (entry: Entry, name: string): string | undefined =>
  valuesOf(entry, name).length === 1 ? valuesOf(entry, name)[0] : undefined;
const isOf = (entry: Entry, objectClass: string): boolean => valuesOf(entry, "objectClass").includes(objectClass);

/** The value in the name of an entry. */
const nameOf = (entry: Entry | undefined): string => {
  const [leaf = ""] = (entry?.dn ?? "").match(/(?:[^\\,]|\\.)+/s) ?? [];
  const value = leaf.slice(leaf.indexOf("=") + 1);
  const text = value.replaceAll(/\\(?:([0-9a-f]{2})|(.))/gis, (_, code, sign) => sign ?? `\u0000${code}`);
  // Escaped bytes may be parts of one letter.
  return text.replaceAll(/(?:\u0000[0-9a-f]{2})+/gi, (codes) =>
    Buffer.from(codes.replaceAll("\u0000", ""), "hex").toString(),
  );
};

const hostname = (text: string): string | undefined =>
  /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i.test(text) ? text.toLowerCase() : undefined;
