/**
 * A certificate of a server without its common name. Node takes the common name of a certificate that has no DNS name;
 * a name counts only as a subject alternative name (RFC 9525, 6.3).
 */
export const withoutCommonName = <T extends { readonly subject: object }>(certificate: T): T => ({
  ...certificate,
  subject: { ...certificate.subject, CN: "" },
});
