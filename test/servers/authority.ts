import { execFileSync } from "node:child_process";
import { join } from "node:path";

/** A certificate authority that lives as long as its folder, and a certificate of its for `localhost` and 127.0.0.1. */
export interface Authority {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** Makes the files of an authority in a folder. */
export function makeAuthority(folder: string): Authority {
  const [ca, caKey, cert, key] = ["ca.pem", "ca.key", "server.pem", "server.key"].map((name) => join(folder, name));
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
  const openssl = (...args: (string | undefined)[]): void => {
    execFileSync("openssl", args as string[], { stdio: "pipe" });
  };
  openssl("req", "-x509", ...newKey, "-subj", "/CN=trigger test authority", "-keyout", caKey, "-out", ca);
  const names = "subjectAltName=DNS:localhost,IP:127.0.0.1";
  const signed = ["-CA", ca, "-CAkey", caKey, "-subj", "/CN=localhost", "-addext", names];
  openssl("req", "-x509", ...newKey, ...signed, "-keyout", key, "-out", cert);
  return { ca: ca ?? "", cert: cert ?? "", key: key ?? "" };
}
