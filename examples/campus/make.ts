import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { StoredEntry } from "../../src/core/directory/entry.ts";
import { writeLdif } from "../../src/directories/ldif/write.ts";
import { type Lot, lot } from "./demo/lot.ts";
import { cast, givenNames, lists, type Member, machineNames, surnames } from "./demo/people.ts";

/** Makes the directory of a campus: 2,000 members, 5,000 machines, bans and mail aliases. The same bytes on the same day. */
export const makeCampus = (today: Date): string => writeLdif(campus(today));

const base = "dc=campus,dc=example";
const memberCount = 2000;
const memberMachines = 4000;
const readerCount = 1000;

function* campus(today: Date): Generator<StoredEntry> {
  const random = lot(2002);
  const members = [...cast, ...drawnMembers(random)];
  yield entry(base, { objectClass: ["domain"], dc: ["campus"] });
  for (const ou of ["members", "machines", "bans", "aliases"]) {
    yield entry(`ou=${ou},${base}`, { objectClass: ["organizationalUnit"], ou: [ou] });
  }
  const hardware = addresses();
  for (const [index, member] of members.entries()) {
    yield memberEntry(member, index, today, random);
    for (const name of member.machines) yield machineEntry(name, member, hardware(random), random);
  }
  for (let number = 1; number <= readerCount; number++) yield reader(number);
  yield* bans(members.slice(cast.length), today);
  const accounts = members.filter(({ noAccount }) => !noAccount);
  yield* aliases(accounts, random);
}

function drawnMembers(random: Lot): Member[] {
  const uids = new Set(cast.map(({ uid }) => uid));
  const numbered = new Map<string, number>();
  const free = (name: string): string => {
    const number = (numbered.get(name) ?? 0) + 1;
    numbered.set(name, number);
    return `${name}-${number}`;
  };
  let machines = memberMachines - cast.flatMap((member) => member.machines).length;
  return Array.from({ length: memberCount - cast.length }, (_, index) => {
    const [givenName, sn] = [random.one(givenNames), random.one(surnames)];
    const wish = `${plain(givenName)[0]}${plain(sn)}`;
    let uid = wish;
    for (let number = 2; uids.has(uid); number++) uid = `${wish}${number}`;
    uids.add(uid);
    // Two machines on average; the last member takes what is left.
    const left = memberCount - cast.length - index;
    const count = left === 1 ? machines : Math.min(random.below(5), machines);
    machines -= count;
    const names = Array.from({ length: count }, () => free(random.one(machineNames)));
    const [apart, noAccount, expired] = [random.below(3) === 0, random.below(4) > 0, random.below(20) === 0];
    return { uid, givenName, sn, machines: names, apart, noAccount, expired };
  });
}

function memberEntry(member: Member, index: number, today: Date, random: Lot): StoredEntry {
  const { uid, givenName, sn, noAccount, expired } = member;
  return entry(dnOf(member), {
    objectClass: ["inetOrgPerson", "campusMember", ...(noAccount ? [] : ["posixAccount"])],
    uid: [uid],
    cn: [`${givenName} ${sn}`],
    givenName: [givenName],
    sn: [sn],
    roomNumber: [`${random.one(["A", "B", "C", "Éole"])}${100 + random.below(400)}`],
    paidUntil: [endOfYear(today, expired ? -1 : 1)],
    ...(noAccount ? {} : account(member, 10_000 + index)),
  });
}

function account({ uid, givenName, sn }: Member, uidNumber: number) {
  // A number where two members have one name: an address is one member's.
  const number = uid.match(/\d+$/)?.[0] ?? "";
  return {
    uidNumber: [String(uidNumber)],
    gidNumber: ["2000"],
    homeDirectory: [`/home/${uid}`],
    mail: [`${plain(givenName)}.${plain(sn)}${number}@campus.example`],
  };
}

function machineEntry(name: string, member: Member, { mac, ips }: Hardware, random: Lot): StoredEntry {
  const owner = dnOf(member);
  const attributes = {
    objectClass: ["device", "ieee802Device", "ipHost"],
    cn: [name],
    macAddress: [mac],
    ipHostNumber: ips,
    ...(random.below(50) === 0 ? { description: [" prêtée à l'association: à rendre en juin"] } : {}),
  };
  if (!member.apart) return entry(`cn=${name},${owner}`, attributes);
  return entry(`cn=${name},ou=machines,${base}`, { ...attributes, owner: [owner] });
}

/** A card reader of a door: the campus's own, so it has no owner. */
function reader(number: number): StoredEntry {
  const name = `reader-${number}`;
  return entry(`cn=${name},ou=machines,${base}`, {
    objectClass: ["device", "ieee802Device", "ipHost"],
    cn: [name],
    macAddress: [`06:43:00:00:${hex(number >> 8)}:${hex(number & 255)}`],
    ipHostNumber: [readerAddress(43, number)],
  });
}

export const readerAddress = (network: number, number: number): string =>
  `10.${network}.${Math.floor(number / 250)}.${(number % 250) + 1}`;

function* bans(members: readonly Member[], today: Date): Generator<StoredEntry> {
  // Long over, under way, for good, and yet to come.
  const periods = [
    [-400, -370],
    [-10, 20],
    [-200, undefined],
    [30, 60],
  ] as const;
  for (let number = 0; number < 20; number++) {
    const [from, until] = periods[number % periods.length] ?? [0, undefined];
    yield entry(`cn=ban-${number + 1},ou=bans,${base}`, {
      objectClass: ["campusBan"],
      cn: [`ban-${number + 1}`],
      bannedMember: [dnOf(members[number * 7] ?? { uid: "nobody" })],
      banStart: [day(today, from)],
      ...(until === undefined ? {} : { banEnd: [day(today, until)] }),
      description: ["câble débranché\nsans prévenir"],
    });
  }
}

function* aliases(members: readonly Member[], random: Lot): Generator<StoredEntry> {
  const alias = (name: string, to: readonly string[]): StoredEntry =>
    entry(`cn=${name},ou=aliases,${base}`, { objectClass: ["nisMailAlias"], cn: [name], rfc822MailMember: to });
  const some = (count: number): string[] => [
    ...new Set(Array.from({ length: count }, () => random.one(members).uid)), // a value stands once in an attribute
  ];
  for (const name of lists) yield alias(name, some(5));
  for (let club = 1; club <= 140; club++) yield alias(`club-${club}`, some(3));
  // An alias with a member at another site, too.
  yield alias("abuse", ["jgarcia", "abuse@isp.example"]);
}

interface Hardware {
  readonly mac: string;
  readonly ips: readonly string[];
}

/** A function that gives the addresses of the next machine. They have several spellings, as in a real directory. */
function addresses(): (random: Lot) => Hardware {
  let number = 0;
  return (random) => {
    number += 1;
    const octets = ["02", "42", hex(random.below(256)), hex(random.below(256)), hex(number >> 8), hex(number & 255)];
    const spelling = random.below(12);
    const mac =
      spelling === 0
        ? octets.join("-").toUpperCase()
        : spelling === 1
          ? octets.join("").replace(/(....)(?!$)/g, "$1.")
          : octets.join(":");
    const v4 = `10.42.${1 + Math.floor(number / 250)}.${(number % 250) + 1}`;
    const v6 =
      random.below(8) === 0
        ? `2001:0DB8:42::${number.toString(16).toUpperCase()}`
        : `2001:db8:42::${number.toString(16)}`;
    const kind = random.below(50);
    return { mac, ips: kind === 0 ? [v6] : kind < 16 ? [v4, v6] : [v4] };
  };
}

const dnOf = ({ uid }: Pick<Member, "uid">): string => `uid=${uid},ou=members,${base}`;

/** An entry with an entryUUID, as slapcat prints it. A renamed entry keeps its entryUUID. */
function entry(dn: string, attributes: Readonly<Record<string, readonly string[]>>): StoredEntry {
  const hash = createHash("sha256").update(dn).digest("hex");
  const uuid = hash.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, "$1-$2-$3-$4-$5");
  return { uuid, dn, attributes: new Map(Object.entries({ ...attributes, entryUUID: [uuid] })) };
}

/** The letters of a name as a login has them. */
function plain(name: string): string {
  const letters = name
    .toLowerCase()
    .replace(/[łøıß]/g, (letter) => ({ ł: "l", ø: "o", ı: "i", ß: "ss" })[letter] ?? "");
  return letters.normalize("NFD").replace(/[^a-z]/g, "");
}

/** The first of October, a number of years after the present year. */
const endOfYear = (today: Date, years: number): string => `${today.getUTCFullYear() + years}-10-01`;

const day = (today: Date, days: number): string =>
  new Date(today.getTime() + days * 86_400_000).toISOString().slice(0, 10);

const hex = (byte: number): string => byte.toString(16).padStart(2, "0");

if (import.meta.main) {
  const file = fileURLToPath(new URL("campus.ldif", import.meta.url));
  writeFileSync(file, makeCampus(new Date()));
  // As on a real host, where it is a file system, the service of the homes wants it to be there.
  mkdirSync(new URL("out/mail/homes", import.meta.url), { recursive: true });
  console.log(`made ${file}`);
}
