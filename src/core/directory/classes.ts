/** The object classes of the standard schemas with their superior classes (RFC 4512, 2.4). */

/** True if an entry that lists these object classes is of the wanted one, directly or through a class below it. */
export function isClass(objectClasses: Iterable<string>, wanted: string): boolean {
  const name = wanted.toLowerCase();
  for (const objectClass of objectClasses) if (isBelowOrSame(objectClass.toLowerCase(), name)) return true;
  return false;
}

function isBelowOrSame(objectClass: string, wanted: string): boolean {
  if (objectClass === wanted || wanted === "top") return true;
  return (superiors.get(objectClass) ?? []).some((superior) => isBelowOrSame(superior, wanted));
}

// Only classes whose superior is not `top`: all others (posixAccount, ieee802Device, nisMailAlias, groupOfURLs,
// sambaSamAccount…) stand directly below it.
const superiors = new Map<string, readonly string[]>(
  Object.entries({
    // RFC 4512, 4519, 4523
    organizationalperson: ["person"],
    residentialperson: ["person"],
    dsa: ["applicationentity"],
    "certificationauthority-v2": ["certificationauthority"],
    // RFC 4524 and the COSINE schema before it
    friendlycountry: ["country"],
    rfc822localpart: ["domain"],
    dnsdomain: ["domain"],
    pilotperson: ["person"],
    newpilotperson: ["pilotperson"],
    pilotorganization: ["organization", "organizationalunit"],
    pilotdsa: ["dsa"],
    // RFC 2798
    inetorgperson: ["organizationalperson"],
    // RFC 2713, 2714
    javaserializedobject: ["javaobject"],
    javamarshalledobject: ["javaobject"],
    javanamingreference: ["javaobject"],
    corbaobjectreference: ["corbaobject"],
    // OpenLDAP's own
    openldaporg: ["organization"],
    openldapou: ["organizationalunit"],
    openldapperson: ["pilotperson", "inetorgperson"],
    pwdpolicychecker: ["pwdpolicy"],
  }),
);
