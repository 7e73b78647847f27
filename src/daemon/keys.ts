import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import { closeSync, fsyncSync, openSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import {
  type PublicKey,
  publicKeyForm,
  readPublicKey,
  type SigningKey,
  signed,
  signingKey,
  writePublicKey,
  wrongSignature,
} from "../core/stream/signature.ts";
import { reason, UserError } from "../core/util/errors.ts";
import type { Project } from "../project/project.ts";
import { fresh } from "./fresh.ts";
import { readFile, readRegular } from "./read-file.ts";

/** The keys of `signing` in the config. Their files may be replaced at any moment, so keys change without a restart. */

type Of = Pick<Project, "folder"> & { readonly config: Pick<Project["config"], "signing"> };
type Log = (line: string) => void;

/** The signer of this machine's transcriber; undefined if the config has no `signing`. */
export function openSigner({ config, folder }: Of, log: Log): ((body: string) => string) | undefined {
  if (!config.signing) return undefined;
  const { key, trust } = config.signing;
  const file = resolve(folder, key);
  const current = fresh([file, ...trustFiles(trust ?? [], folder)], read, log);
  return (body) => signed(body, current());

  function read(): SigningKey {
    const own = readSecretKey(file, "signing.key: ");
    if (trust && !readTrust(trust, folder).some(({ name }) => name === own.name)) {
      throw new UserError(
        `signing.key: no host would accept a row: signing.trust does not have ${lineOf(own)} of ${file}`,
      );
    }
    return own;
  }
}

/** The check of a message's signature, which gives the reason to reject it; undefined if the config has no `signing.trust`. */
export function openTrust({ config, folder }: Of, log: Log): ((body: Uint8Array) => string | undefined) | undefined {
  const trust = config.signing?.trust;
  if (!trust) return undefined;
  const current = fresh(trustFiles(trust, folder), () => readTrust(trust, folder), log);
  return (body) => wrongSignature(body, current());
}

/** Makes the file of a secret key if there is none, and returns the public key in base64. */
export function makeKey(file: string): { readonly publicKey: string; readonly made: boolean } {
  const { privateKey } = generateKeyPairSync("ed25519");
  const made = writeNew(file, privateKey.export({ format: "pem", type: "pkcs8" }).toString());
  return { publicKey: lineOf(readSecretKey(file)), made };
}

const lineOf = ({ key }: PublicKey): string => writePublicKey(key);

/** Writes a new file; false if there is such a file already. */
function writeNew(file: string, text: string): boolean {
  try {
    const opened = openSync(file, "wx", 0o600);
    try {
      writeFileSync(opened, text);
      fsyncSync(opened);
    } finally {
      closeSync(opened);
    }
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw new UserError(reason(error));
  }
}

/** Reads a secret key. Errors begin with `where`, and never have the content of the file. */
function readSecretKey(file: string, where = ""): SigningKey {
  const { bytes, mode } = readWithMode(file, where);
  const key = (() => {
    try {
      return createPrivateKey(bytes);
    } catch {
      return undefined; // the message of OpenSSL does not help
    }
  })();
  if (key?.asymmetricKeyType !== "ed25519") {
    throw new UserError(
      `${where}${file} holds no secret key of Ed25519 (PKCS #8, PEM): \`trigger key FILE\` makes one`,
    );
  }
  if ((mode & 0o077) !== 0) {
    const shown = (mode & 0o777).toString(8).padStart(4, "0");
    throw new UserError(`${where}${file} is open to other users (mode ${shown}): \`chmod 600 ${file}\``);
  }
  return signingKey(key);
}

function readWithMode(file: string, where: string): ReturnType<typeof readRegular> {
  try {
    return readRegular(file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UserError(`${where}${reason(error)}${code === "ENOENT" ? `: \`trigger key ${file}\` makes it` : ""}`);
  }
}

const trustFiles = (trust: readonly string[], folder: string): string[] =>
  trust.filter((one) => !publicKeyForm.test(one)).map((file) => resolve(folder, file));

const readTrust = (trust: readonly string[], folder: string): PublicKey[] =>
  trust.flatMap((one) => (publicKeyForm.test(one) ? [readPublicKey(one)] : readTrustFile(resolve(folder, one))));

/** Reads a file of public keys: one a line, in base64. The rest of a line, empty lines and lines that begin with # are comments. */
function readTrustFile(file: string): PublicKey[] {
  const lines = readFile(file, "signing.trust").toString("utf8").split(/\r?\n/);
  const keys = lines.flatMap((line, index) => {
    const [word = ""] = line.trim().split(/\s/, 1);
    if (word === "" || word.startsWith("#")) return [];
    try {
      return [readPublicKey(word)];
    } catch (error) {
      throw new UserError(`signing.trust: ${file}:${index + 1}: ${reason(error)}`);
    }
  });
  if (keys.length === 0) throw new UserError(`signing.trust: ${file} holds no public key`);
  return keys;
}
