import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A certificate with its key, and the authority that signed it: file names. */
export interface Certificate {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** Throw-away authorities, made by openssl. */
export interface Certificates extends Disposable {
  /** Signs a certificate for 127.0.0.1 and localhost, by an authority that is made when it is first named. */
  sign(name: string, authority?: string): Certificate;
}

export function certificates(): Certificates {
  const folder = mkdtempSync(join(tmpdir(), "trigger-ca-"));
  const authorities = new Set<string>();
  const openssl = (...args: string[]): void => void execFileSync("openssl", args, { cwd: folder, stdio: "pipe" });
  const request = ["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

  function authorityOf(name: string): string {
    if (!authorities.has(name)) {
      openssl(
        ...request,
        "-x509",
        "-days",
        "2",
        "-subj",
        `/CN=${name}`,
        "-keyout",
        `${name}.key`,
        "-out",
        `${name}.pem`,
      );
      authorities.add(name);
    }
    return name;
  }

  return {
    sign(name, authority = "ca") {
      const by = authorityOf(authority);
      const file = `${by}-${name}`;
      writeFileSync(join(folder, "extensions"), "subjectAltName=DNS:localhost,IP:127.0.0.1\n");
      openssl(...request, "-subj", `/CN=${name}`, "-keyout", `${file}.key`, "-out", `${file}.csr`);
      const signed = ["-CA", `${by}.pem`, "-CAkey", `${by}.key`, "-CAcreateserial", "-days", "2"];
      openssl("x509", "-req", "-in", `${file}.csr`, ...signed, "-extfile", "extensions", "-out", `${file}.pem`);
      return { ca: join(folder, `${by}.pem`), cert: join(folder, `${file}.pem`), key: join(folder, `${file}.key`) };
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}
