import { readFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { type Certificate, type Certificates, certificates } from "./certificates.ts";

/** A server with a certificate that a client at `localhost` must refuse, and the remedy that the client names. */
export interface WrongCertificate {
  readonly name: string;
  readonly certificate: Certificate;
  readonly remedy: RegExp;
}

/** Certificates of one authority: one right for `localhost` by its alternative name alone, and wrong ones. */
export function wrongCertificates(): Disposable & {
  readonly right: Certificate;
  readonly wrong: readonly WrongCertificate[];
} {
  const files: Certificates = certificates();
  const signed = (name: string, shape: object): Certificate => files.sign(name, "ca", shape);
  const localhost = { commonName: "localhost" };
  const [past, future] = [new Date(Date.now() - 86_400_000 * 3), new Date(Date.now() + 86_400_000 * 3)].map((day) =>
    day.toISOString().slice(0, 10).replaceAll("-", ""),
  ) as [string, string];
  const name = /altnames.* as the certificate does, .*subjectAltName/;
  return {
    right: signed("right", { commonName: "other.example" }),
    wrong: [
      {
        name: "another name",
        certificate: signed("other", { extension: "subjectAltName=DNS:b.example" }),
        remedy: name,
      },
      { name: "a common name alone", certificate: signed("common", { ...localhost, extension: "" }), remedy: name },
      {
        name: "a common name beside an address of mail",
        certificate: signed("mail", { ...localhost, extension: "subjectAltName=email:a@b.example" }),
        remedy: name,
      },
      {
        name: "an expired one",
        certificate: signed("past", { days: ["20200101", past] }),
        remedy: /certificate has expired: give the server a renewed certificate/,
      },
      {
        name: "one of tomorrow",
        certificate: signed("future", { days: [future, "20491231"] }),
        remedy: /certificate is not yet valid: look at .*clock/,
      },
      {
        name: "one of another authority",
        certificate: { ...files.sign("stranger", "other"), ca: signed("own", {}).ca },
        remedy: /: name the authority that signed the server's certificate in (broker|directory)\.ca$/,
      },
    ],
    [Symbol.dispose]: () => files[Symbol.dispose](),
  };
}

/** A server on a free port that speaks TLS at once, or after `clear` has answered the first bytes. */
export async function tlsServer({ cert, key }: Certificate, clear?: (bytes: Buffer) => Buffer) {
  const open = new Set<Socket>();
  const heard: Buffer[] = [];
  const secure = (socket: Socket): void => {
    const tls = new TLSSocket(socket, { isServer: true, cert: readFileSync(cert), key: readFileSync(key) });
    tls.on("error", () => {}).on("data", (bytes) => heard.push(bytes));
  };
  const server = createServer((socket) => {
    open.add(socket);
    socket.on("error", () => {}).on("close", () => open.delete(socket));
    if (!clear) return secure(socket);
    socket.once("data", (bytes) => {
      socket.write(clear(bytes));
      secure(socket);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
  const address = server.address();
  return {
    port: typeof address === "object" && address ? address.port : 0,
    /** The bytes that a client sent in TLS. */
    heard: () => Buffer.concat(heard),
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
