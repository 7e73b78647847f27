/** A key that a daemon and its clients share, as `tsig-keygen` writes it and dhcpd and named include it. */
export interface SharedKey {
  readonly name: string;
  /** The algorithm, such as `hmac-sha256`. */
  readonly algorithm: string;
  /** The secret, in base64. */
  readonly secret: string;
}

const clause =
  /\bkey\s+"?([A-Za-z0-9._-]{1,255})"?\s*\{\s*algorithm\s+"?(hmac-[a-z0-9]+)"?\s*;\s*secret\s+"?([A-Za-z0-9+/]+={0,2})"?\s*;\s*\}/i;

/** Reads the key of a file: `key "name" { algorithm hmac-sha256; secret "…"; };`. Errors do not contain the secret. */
export function readKey(text: string, path: string): SharedKey {
  const [, name, algorithm, secret] = clause.exec(text.replace(/^\s*(#|\/\/).*$/gm, "")) ?? [];
  if (!name || !algorithm || !secret) {
    throw new Error(`${path} has no key: expected key "name" { algorithm hmac-sha256; secret "…"; }; (tsig-keygen)`);
  }
  return { name, algorithm: algorithm.toLowerCase(), secret };
}
