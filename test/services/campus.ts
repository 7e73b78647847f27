import type { StoredEntry } from "../../src/core/directory/entry.ts";
import { readContent } from "../../src/directories/ldif/content.ts";

/** A small campus by the standard schemas: machines of a network (such as `10.0.0`), members with accounts, aliases. */
export function campusOf(network: string): StoredEntry[] {
  const machines = ["pc1", "pc2", "pc3"].map(
    (name, index) => `dn: cn=${name},ou=machines,dc=campus,dc=example
objectClass: device
objectClass: ieee802Device
objectClass: ipHost
cn: ${name}
macAddress: 02:00:00:00:00:0${index + 1}
ipHostNumber: ${network}.${index + 1}
`,
  );
  const members = ["alice", "bob", "carol"].map(
    (name, index) => `dn: uid=${name},ou=members,dc=campus,dc=example
objectClass: inetOrgPerson
objectClass: posixAccount
cn: ${name}
roomNumber: B-10${index}
sn: ${name}
uid: ${name}
uidNumber: ${1000 + index}
gidNumber: 100
homeDirectory: /home/${name}
userPassword: {SSHA}bmV2ZXJ1c2VkbmV2ZXJ1c2VkMTIz
mail: ${name}@campus.example
`,
  );
  const aliases = `dn: cn=office,ou=aliases,dc=campus,dc=example
objectClass: nisMailAlias
cn: office
rfc822MailMember: alice
rfc822MailMember: bob@campus.example
`;
  return readContent(Buffer.from([...machines, ...members, aliases].join("\n")), "campus.ldif");
}
