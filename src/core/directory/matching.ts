import { normalDn } from "./dn.ts";
import { exactValue, normalValue } from "./values.ts";

/** The comparison of attribute values, by the equality rules in the schemas that servers have. Unknown attributes are compared exactly. */

// caseIgnoreMatch, caseIgnoreIA5Match, caseIgnoreListMatch, and rules for which case has no meaning (objectIdentifierMatch, UUIDMatch, booleanMatch).
// One line for each schema: RFC 4512, 4519, 4524 and 2798; RFC 2307; mail; ppolicy; ISC dhcp; DNS; Samba; sudo, autofs; FreeRADIUS; eduPerson; Active Directory.
const ignoring = words(`
  objectclass structuralobjectclass entryuuid hassubordinates
  c cn co l o ou sn st name title street givenname initials generationqualifier description dnqualifier pseudonym uid
  serialnumber businesscategory postalcode postofficebox postaladdress registeredaddress homepostaladdress
  physicaldeliveryofficename destinationindicator houseidentifier knowledgeinformation dmdname
  buildingname documentidentifier documentlocation documentpublisher documenttitle documentversion drink host info
  organizationalstatus personaltitle roomnumber textencodedoraddress uniqueidentifier userclass
  carlicense departmentnumber displayname employeenumber employeetype preferredlanguage
  dc associateddomain email mail arecord cnamerecord mdrecord mxrecord nsrecord soarecord janetmailbox
  gecos ipserviceprotocol iphostnumber ipnetmasknumber ipnetworknumber macaddress nismapname
  mailhost maillocaladdress mailroutingaddress rfc822mailmember mailalternateaddress mailforwardingaddress
  pwdaccountlockedtime pwdreset nsaccountlock
  dhcphwaddress dhcpstatements dhcpoption dhcpcomments dhcprange dhcpdnszonekey dhcpnetmask
  dnsdomainname relativedomainname zonename aaaarecord ptrrecord txtrecord srvrecord sshfprecord
  sambasid sambaprimarygroupsid sambadomainname sambantpassword sambalmpassword sambaacctflags
  sudouser sudohost sudorunas sudorunasuser sudorunasgroup
  radiusgroupname radiustunnelprivategroupid radiusfilterid radiusframedipaddress dialupaccess
  edupersonaffiliation edupersonprimaryaffiliation edupersonprincipalname edupersonentitlement edupersonscopedaffiliation
  samaccountname userprincipalname department company employeeid dnshostname proxyaddresses mailnickname operatingsystem
`);

/** telephoneNumberMatch: spaces and hyphens are ignored. */
const telephones = words("telephonenumber homephone mobile pager");

/** distinguishedNameMatch. */
const names = words(`
  member memberof owner manager secretary roleoccupant seealso aliasedobjectname associatedname distinguishedname
  documentauthor ditredirect creatorsname modifiersname entrydn
`);

/**
 * The form in which a value of an attribute is compared, a text. Takes the normal name of the attribute, and ignores
 * its options.
 */
export function comparable(attribute: string, text: string): string {
  const name = attribute.split(";", 1)[0] ?? "";
  if (ignoring.has(name)) return normalValue(text);
  if (telephones.has(name)) return normalValue(text).replace(/[ -]/g, "");
  return names.has(name) ? readName(text) : exactValue(text);
}

function readName(text: string): string {
  try {
    return normalDn(text);
  } catch {
    return exactValue(text); // a server would have rejected it
  }
}

function words(text: string): ReadonlySet<string> {
  return new Set(text.trim().split(/\s+/));
}
