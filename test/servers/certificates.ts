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

/** The parts of a certificate that a test chooses. */
export interface Shape {
  /** The common name of the subject. */
  readonly commonName?: string;
  /** The extension with the subject alternative names; empty for none. */
  readonly extension?: string;
  /** The first and the last day, as YYYYMMDD. */
  readonly days?: readonly [string, string];
}

/** Throw-away authorities, made by openssl. */
export interface Certificates extends Disposable {
  /** Signs a certificate for 127.0.0.1 and localhost, by an authority that is made when it is first named. */
  sign(name: string, authority?: string, shape?: Shape): Certificate;
}

const forLocalhost = "subjectAltName=DNS:localhost,IP:127.0.0.1";
/** `openssl x509` of Debian sets no first day: `openssl ca` does. */
const caConfig = `[ca]
default_ca=own
[own]
database=index
new_certs_dir=.
rand_serial=yes
default_md=sha256
policy=any
[any]
commonName=supplied
`;

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
    sign(name, authority = "ca", { commonName = name, extension = forLocalhost, days } = {}) {
      const by = authorityOf(authority);
      const file = `${by}-${name}`;
      writeFileSync(join(folder, "extensions"), `[all]\nbasicConstraints=CA:FALSE\n${extension}\n`);
      openssl(...request, "-subj", `/CN=${commonName}`, "-keyout", `${file}.key`, "-out", `${file}.csr`);
      const extensions = ["-extfile", "extensions", "-extensions", "all", "-out", `${file}.pem`];
      if (days) {
        writeFileSync(join(folder, "index"), "");
        writeFileSync(join(folder, "ca.cnf"), caConfig);
        const [from, to] = days.map((day) => `${day}000000Z`);
        const dates = ["-startdate", from ?? "", "-enddate", to ?? "", "-notext"];
        const signer = ["-cert", `${by}.pem`, "-keyfile", `${by}.key`];
        openssl("ca", "-batch", "-config", "ca.cnf", "-in", `${file}.csr`, ...signer, ...dates, ...extensions);
      } else {
        const signed = ["-CA", `${by}.pem`, "-CAkey", `${by}.key`, "-CAcreateserial", "-days", "2"];
        openssl("x509", "-req", "-in", `${file}.csr`, ...signed, ...extensions);
      }
      return { ca: join(folder, `${by}.pem`), cert: join(folder, `${file}.pem`), key: join(folder, `${file}.key`) };
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}
