import { readerAddress } from "../make.ts";

/** An event of the campus, as a change of its directory. */
export interface Happening {
  readonly title: string;
  /** The effect that a person can observe. */
  readonly look: string;
  /** The LDIF change records for campus.ldif. For an effect of the clock, a function of the time of that effect. */
  readonly ldif: string | ((end: string) => string);
  /**
   * The number of rows that it adds, changes or removes on every host of a service. No row of another service changes.
   */
  readonly moves: Readonly<Record<string, number>>;
  /** A name, and the IPv4 addresses that a name server answers for it afterwards; none for a removed name. */
  readonly answers?: readonly [name: string, ...addresses: string[]];
}

/** A day of the campus, in LDIF that any directory would take. */
export const day: readonly Happening[] = [
  {
    title: "A new machine",
    look: "One entry is added below its owner. Three hosts get a row; mail has no use for it and is not woken.",
    ldif: `
dn: cn=picasso,uid=jgarcia,ou=members,dc=campus,dc=example
changetype: add
objectClass: device
objectClass: ieee802Device
objectClass: ipHost
cn: picasso
macAddress: 02:42:00:00:AA:01
ipHostNumber: 10.42.200.1
ipHostNumber: 2001:db8:42::aa01
entryUUID: 00000000-0000-4000-8000-000000000001
`,
    moves: { dhcp: 1, dns: 1 },
    answers: ["picasso", "10.42.200.1"],
  },
  {
    title: "A machine takes another name",
    look: "The entry is known by its entryUUID: its row changes, nothing is taken away and given back.",
    ldif: `
dn: cn=quetzal,uid=jgarcia,ou=members,dc=campus,dc=example
changetype: modrdn
newrdn: cn=condor
deleteoldrdn: 1
`,
    moves: { dhcp: 1, dns: 1 },
    answers: ["condor", "10.42.1.2"],
  },
  {
    title: "A machine goes to another owner",
    look: "Anaïs no longer pays, so her machine had no access. It is José's now, who does.",
    ldif: `
dn: cn=atlas,ou=machines,dc=campus,dc=example
changetype: modify
replace: owner
owner: uid=jgarcia,ou=members,dc=campus,dc=example
`,
    moves: { dhcp: 1, dns: 1 },
    answers: ["atlas", "10.42.1.13"],
  },
  {
    title: "A member is banned",
    look: "One entry is added, which names Maxime. The rows of his five machines go.",
    ldif: `
dn: cn=ban-100,ou=bans,dc=campus,dc=example
changetype: add
objectClass: campusBan
cn: ban-100
bannedMember: uid=mdubois,ou=members,dc=campus,dc=example
banStart: 2002-11-22
description: a DHCP server of his own
entryUUID: 00000000-0000-4000-8000-000000000002
`,
    moves: { dhcp: 5, dns: 5 },
    answers: ["cobalt"],
  },
  {
    title: "A subscription ends",
    look: "The change says when, and moves nothing. Solène's three machines go when that time comes, by the clock alone.",
    ldif: (end) => `
dn: uid=slefevre,ou=members,dc=campus,dc=example
changetype: modify
replace: paidUntil
paidUntil: ${end}
`,
    moves: { dhcp: 3, dns: 3 },
    answers: ["sirocco"],
  },
  {
    title: "A mail alias",
    look: "Only the mail host is concerned.",
    ldif: `
dn: cn=fanfare,ou=aliases,dc=campus,dc=example
changetype: add
objectClass: nisMailAlias
cn: fanfare
rfc822MailMember: jgarcia
rfc822MailMember: zvermeulen
entryUUID: 00000000-0000-4000-8000-000000000003
`,
    moves: { aliases: 1 },
  },
  {
    title: "A new member, with a machine",
    look: "Everybody is concerned: addresses, names, mail, and a home is made.",
    ldif: `
dn: uid=cmoulin,ou=members,dc=campus,dc=example
changetype: add
objectClass: inetOrgPerson
objectClass: posixAccount
objectClass: campusMember
uid: cmoulin
cn:: Q8OpbGluZSBNb3VsaW4=
sn: Moulin
mail: celine.moulin@campus.example
uidNumber: 20001
gidNumber: 2000
homeDirectory: /home/cmoulin
paidUntil: 2099-10-01
entryUUID: 00000000-0000-4000-8000-000000000004

dn: cn=moulinette,uid=cmoulin,ou=members,dc=campus,dc=example
changetype: add
objectClass: device
objectClass: ieee802Device
objectClass: ipHost
cn: moulinette
macAddress: 0242.0000.aa02
ipHostNumber: 10.42.200.2
entryUUID: 00000000-0000-4000-8000-000000000005
`,
    moves: { dhcp: 1, dns: 1, aliases: 1, homes: 1 },
    answers: ["moulinette", "10.42.200.2"],
  },
  {
    title: "A member leaves",
    look: "His machine, his address and his mail go; his home is put into the archive, never deleted.",
    ldif: `
dn: cn=figaro,uid=pbernard,ou=members,dc=campus,dc=example
changetype: delete

dn: uid=pbernard,ou=members,dc=campus,dc=example
changetype: delete
`,
    moves: { dhcp: 1, dns: 1, aliases: 1, homes: 1 },
    answers: ["figaro"],
  },
  {
    title: "A malformed entry",
    look: "A MAC address that would end its line and begin another. That row is refused, with its reason, and the last good one stays; the good change beside it goes on.",
    ldif: `
dn: cn=sphinx,uid=lnguyen,ou=members,dc=campus,dc=example
changetype: modify
replace: macAddress
macAddress: 02:42:00:00:aa:03; } group { deny booting; } #

dn: cn=minerve,uid=lnguyen,ou=members,dc=campus,dc=example
changetype: add
objectClass: device
objectClass: ieee802Device
objectClass: ipHost
cn: minerve
macAddress: 02:42:00:00:aa:04
ipHostNumber: 10.42.200.4
entryUUID: 00000000-0000-4000-8000-000000000006
`,
    moves: { dhcp: 1, dns: 1 },
    answers: ["minerve", "10.42.200.4"],
  },
  {
    title: "Two machines swap their addresses",
    look: "No address is ever given twice, though each is the other's until both have moved.",
    ldif: `
dn: cn=castor,uid=zvermeulen,ou=members,dc=campus,dc=example
changetype: modify
delete: ipHostNumber
ipHostNumber: 10.42.1.3
-
add: ipHostNumber
ipHostNumber: 10.42.1.4

dn: cn=pollux,uid=zvermeulen,ou=members,dc=campus,dc=example
changetype: modify
delete: ipHostNumber
ipHostNumber: 10.42.1.4
-
add: ipHostNumber
ipHostNumber: 10.42.1.3
`,
    moves: { dhcp: 2, dns: 2 },
    answers: ["castor", "10.42.1.4"],
  },
  {
    title: "A burst of 1,000 changes",
    look: "Every card reader moves to another network: one run on each host, not a thousand.",
    ldif: Array.from({ length: 1000 }, (_, index) => readerMoves(index + 1)).join(""),
    moves: { dhcp: 1000, dns: 1000 },
    answers: ["reader-1000", readerAddress(44, 1000)],
  },
];

function readerMoves(number: number): string {
  return `
dn: cn=reader-${number},ou=machines,dc=campus,dc=example
changetype: modify
replace: ipHostNumber
ipHostNumber: ${readerAddress(44, number)}
`;
}
