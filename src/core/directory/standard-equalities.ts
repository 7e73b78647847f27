import type { Equality } from "./equality.ts";

/** The attributes of the standard schemas, by their normal names, under their equality rules. */
const attributes: Readonly<Record<Exclude<Equality, "asciiCase">, string>> = {
  // caseIgnoreMatch, caseIgnoreIA5Match, and rules for which case has no meaning (objectIdentifierMatch, UUIDMatch, booleanMatch).
  // One line for each schema: RFC 4512, 4519, 4524 and 2798; RFC 2307; mail; ppolicy; ISC dhcp; DNS; Samba; sudo, autofs; FreeRADIUS; eduPerson; Active Directory.
  ignoringCase: `
    objectclass structuralobjectclass entryuuid hassubordinates
    c cn co l o ou sn st name title street givenname initials generationqualifier description dnqualifier pseudonym uid
    serialnumber businesscategory postalcode postofficebox
    physicaldeliveryofficename destinationindicator houseidentifier knowledgeinformation dmdname
    supportedapplicationcontext
    buildingname documentidentifier documentlocation documentpublisher documenttitle documentversion drink host info
    organizationalstatus personaltitle roomnumber textencodedoraddress uniqueidentifier userclass
    carlicense departmentnumber displayname employeenumber employeetype preferredlanguage
    dc associateddomain email mail arecord cnamerecord mdrecord mxrecord nsrecord soarecord janetmailbox
    gecos ipserviceprotocol iphostnumber ipnetmasknumber ipnetworknumber macaddress nismapname
    mailhost maillocaladdress mailroutingaddress rfc822mailmember mailalternateaddress mailforwardingaddress
    pwdreset nsaccountlock
    dhcphwaddress dhcpstatements dhcpoption dhcpcomments dhcprange dhcpdnszonekey dhcpnetmask
    dnsdomainname relativedomainname zonename aaaarecord ptrrecord txtrecord srvrecord sshfprecord
    sambasid sambaprimarygroupsid sambadomainname sambantpassword sambalmpassword sambaacctflags
    sudouser sudohost sudorunas sudorunasuser sudorunasgroup
    radiusgroupname radiustunnelprivategroupid radiusfilterid radiusframedipaddress dialupaccess
    edupersonaffiliation edupersonprimaryaffiliation edupersonprincipalname edupersonentitlement edupersonscopedaffiliation
    samaccountname userprincipalname department company employeeid dnshostname proxyaddresses mailnickname operatingsystem
  `,
  // caseExactMatch, caseExactIA5Match: RFC 2307 and its successor, RFC 2079, MIT Kerberos. `automountKey=Home` is not `home`.
  exactCase: `
    automountinformation automountkey automountmapname bootfile homedirectory krbcanonicalname krbprincipalname
    labeleduri loginshell membernisnetgroup memberuid nismapentry ref vendorname vendorversion
  `,
  // octetStringMatch, bitStringMatch, integerMatch.
  octets: `
    userpassword x500uniqueidentifier
    uidnumber gidnumber shadowlastchange shadowmin shadowmax shadowwarning shadowinactive shadowexpire shadowflag
    ipserviceport ipprotocolnumber oncrpcnumber
  `,
  digits: "x121address internationalisdnnumber",
  telephone: "telephonenumber homephone mobile pager",
  lines: "postaladdress registeredaddress homepostaladdress",
  name: `
    member memberof owner manager secretary roleoccupant seealso aliasedobjectname associatedname distinguishedname
    documentauthor ditredirect creatorsname modifiersname entrydn
  `,
  nameAndBits: "uniquemember",
  time: "createtimestamp modifytimestamp pwdaccountlockedtime",
};

/** The equality rule of each attribute of the standard schemas, by its normal name. */
export const standardEqualities: ReadonlyMap<string, Equality> = new Map(
  Object.entries(attributes).flatMap(([rule, names]) =>
    names
      .trim()
      .split(/\s+/)
      .map((name) => [name, rule as Equality]),
  ),
);
