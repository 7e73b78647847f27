/**
 * The names of attributes. Each attribute has one normal name for all its aliases, its object identifier and every
 * case.
 */

/** The normal name of an attribute description: lower case, aliases resolved, options sorted (`CN;Lang-FR` is `cn;lang-fr`). */
export function attributeName(text: string): string {
  const lower = text.trim().toLowerCase();
  if (!lower.includes(";")) return normalNames.get(lower) ?? lower;
  const [type = "", ...options] = lower.split(";");
  return [normalNames.get(type) ?? type, ...[...new Set(options)].sort()].join(";");
}

/**
 * True for a text that can name an attribute, with options. RFC 4512 has no underscore in names, but real schemas do.
 */
export const isAttribute = (text: string): boolean =>
  text.length <= nameLimit && /^(?:[a-z][a-z0-9_-]*|\d+(?:\.\d+)*)(?:;[a-z0-9_-]+)*$/i.test(text);

/**
 * The longest name of an attribute with its options, in characters. On a name of megabytes the expression would
 * overflow the stack.
 */
const nameLimit = 8192;

/** True if the values of an attribute are always bytes (RFC 4522). Takes a normal name. */
export const isBinary = (name: string): boolean => name.includes(";") && name.split(";").includes("binary");

// One attribute per line: the normal name, then its aliases and its object identifier (RFC 4519, 4524, 4512, 4530, 2985).
const attributes = `
  objectclass 2.5.4.0
  aliasedobjectname aliasedentryname 2.5.4.1
  cn commonname 2.5.4.3
  sn surname 2.5.4.4
  serialnumber 2.5.4.5
  c countryname 2.5.4.6
  l localityname 2.5.4.7
  st stateorprovincename 2.5.4.8
  street streetaddress 2.5.4.9
  o organizationname 2.5.4.10
  ou organizationalunitname 2.5.4.11
  title 2.5.4.12
  description 2.5.4.13
  businesscategory 2.5.4.15
  postaladdress 2.5.4.16
  postalcode 2.5.4.17
  telephonenumber 2.5.4.20
  facsimiletelephonenumber fax 2.5.4.23
  member 2.5.4.31
  owner 2.5.4.32
  roleoccupant 2.5.4.33
  seealso 2.5.4.34
  userpassword 2.5.4.35
  usercertificate 2.5.4.36
  name 2.5.4.41
  givenname gn 2.5.4.42
  initials 2.5.4.43
  generationqualifier 2.5.4.44
  dnqualifier 2.5.4.46
  uniquemember 2.5.4.50
  pseudonym 2.5.4.65
  uid userid 0.9.2342.19200300.100.1.1
  mail rfc822mailbox 0.9.2342.19200300.100.1.3
  drink favouritedrink 0.9.2342.19200300.100.1.5
  host 0.9.2342.19200300.100.1.9
  manager 0.9.2342.19200300.100.1.10
  homephone hometelephonenumber 0.9.2342.19200300.100.1.20
  dc domaincomponent 0.9.2342.19200300.100.1.25
  associateddomain 0.9.2342.19200300.100.1.37
  associatedname 0.9.2342.19200300.100.1.38
  mobile mobiletelephonenumber 0.9.2342.19200300.100.1.41
  pager pagertelephonenumber 0.9.2342.19200300.100.1.42
  co friendlycountryname 0.9.2342.19200300.100.1.43
  email emailaddress pkcs9email 1.2.840.113549.1.9.1
  entryuuid 1.3.6.1.1.16.4
  entrydn 1.3.6.1.1.20
`;

const normalNames = new Map(
  attributes
    .trim()
    .split("\n")
    .flatMap((line) => {
      const [name = "", ...others] = line.trim().split(" ");
      return others.map((other): [string, string] => [other, name]);
    }),
);
