import { createHash, createPublicKey, type KeyObject, sign, verify } from "node:crypto";

/**
 * Signed messages of a table: Ed25519 (RFC 8032) over the very bytes that travel, so no canonical form is needed. A
 * signed body is the original JSON object with two more members at its end: `key`, then `signature`. The signature
 * covers all bytes before `,"signature":`, so also the name of the key.
 */

/** A public key that a host trusts, with its name in messages. */
export interface PublicKey {
  readonly name: string;
  readonly key: KeyObject;
}

/** A key that signs messages. */
export interface SigningKey extends PublicKey {
  readonly secret: KeyObject;
}

/** The written form of a public key: its 32 bytes in base64. */
export const publicKeyForm = /^[A-Za-z0-9+/]{43}=$/;

/** The text between the signed bytes and the signature, 64 bytes in base64. */
const before = Buffer.from(',"signature":"');
const behind = '"}';
// The last four bits of 64 bytes in base64 are unused: one signature has one form.
const signatureForm = /^[A-Za-z0-9+/]{85}[AQgw]==$/;
const tail = before.length + 88 + behind.length;

/** The end of a signed message: the name of the key, then the signature. */
const keyForm = /,"key":"([0-9a-f]{16})"$/;
const keyLength = ',"key":""'.length + 16;

/** Reads a public key from its written form; throws for any other text. */
export function readPublicKey(text: string): PublicKey {
  if (!publicKeyForm.test(text)) throw new Error(`a public key is 44 characters of base64, found ${text.length}`);
  const x = Buffer.from(text, "base64").toString("base64url");
  const key = createPublicKey({ format: "jwk", key: { kty: "OKP", crv: "Ed25519", x } });
  return { name: nameOf(text), key };
}

/** The written form of a public key. */
export function writePublicKey(key: KeyObject): string {
  return Buffer.from(key.export({ format: "jwk" }).x ?? "", "base64url").toString("base64");
}

/** The signing key of a secret key, with its public key. */
export function signingKey(secret: KeyObject): SigningKey {
  const key = createPublicKey(secret);
  return { name: nameOf(writePublicKey(key)), key, secret };
}

/** The name of a public key: the first 64 bits of the SHA-256 of its 32 bytes. */
const nameOf = (text: string): string =>
  createHash("sha256").update(Buffer.from(text, "base64")).digest("hex").slice(0, 16);

/** Signs a message, a JSON object without a space at its end. */
export function signed(body: string, { name, secret }: SigningKey): string {
  const said = `${body.slice(0, -1)},"key":"${name}"`;
  return `${said}${before}${sign(null, Buffer.from(said), secret).toString("base64")}${behind}`;
}

/**
 * Returns the reason why a body has no valid signature by a trusted key; undefined if it has one. The reason shows
 * nothing of the body except the name of a key.
 */
export function wrongSignature(body: Uint8Array, trusted: readonly PublicKey[]): string | undefined {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const end = Math.max(0, bytes.length - tail);
  const said = bytes.subarray(0, end);
  const signature = bytes.toString("latin1", end + before.length, bytes.length - behind.length);
  const name = keyForm.exec(said.toString("latin1", Math.max(0, end - keyLength)))?.[1];
  const hasForm = bytes.indexOf(before, end) === end && bytes.toString("latin1", bytes.length - 2) === behind;
  if (name === undefined || !hasForm || !signatureForm.test(signature)) return "it is not signed";
  const by = trusted.find((one) => one.name === name);
  if (!by) return `it names the key ${name}, which is not trusted`;
  return verify(null, said, by.key, Buffer.from(signature, "base64"))
    ? undefined
    : `its signature by the key ${name} is wrong`;
}
