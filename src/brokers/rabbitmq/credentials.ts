import { isThisMachine } from "../../core/config/this-machine.ts";

/** The addresses of RabbitMQ, and the credentials of this client. */
export interface Address {
  /** `amqp://user@host:port/vhost` or `amqps://…`, one for each node of a cluster; `files` may give another password than the url. */
  readonly url: string | readonly string[];
  readonly password?: string;
  /**
   * Reads the content of files, again for each connection, so a renewed certificate or password needs no restart.
   * Throws for one that cannot be read, naming it.
   */
  readonly files?: () => Files;
}

export interface Files {
  /** The password file; only the first line counts. */
  readonly password?: Buffer | undefined;
  /** In PEM: the authority that signed the server's certificate, and the certificate and key of this client. */
  readonly ca?: Buffer | undefined;
  readonly cert?: Buffer | undefined;
  readonly key?: Buffer | undefined;
}

/** The parts of an address. `name` has no secret. */
export interface Target {
  /** The address as it may be shown: without the password. */
  readonly name: string;
  readonly secure: boolean;
  readonly hostname: string;
  readonly port: number;
  readonly vhost: string;
  readonly username: string;
  /** True if the password crosses a network in the clear. */
  readonly inClear: boolean;
  /** Reads the files. Throws for one that cannot be read, naming it. */
  secrets(): Secrets;
}

export interface Secrets {
  readonly password: string;
  readonly tls: { readonly ca?: Buffer; readonly cert?: Buffer; readonly key?: Buffer };
}

const ports = { "amqp:": 5672, "amqps:": 5671 } as const;

/** Reads the addresses of all nodes. The error for a wrong one shows no password. */
export const readAddresses = (address: Address): Target[] =>
  [address.url].flat().map((url) => readAddress({ ...address, url }));

/** Reads one address. */
export function readAddress(address: Address & { readonly url: string }): Target {
  const url = parse(address.url);
  const { protocol } = url;
  if (protocol !== "amqp:" && protocol !== "amqps:") {
    throw new Error(`the broker's url begins with amqp:// or amqps://, not ${protocol}//`);
  }
  const username = decode(url.username) || "guest";
  const hostname = url.hostname.replace(/^\[|\]$/g, "");
  const port = Number(url.port) || ports[protocol];
  const vhost = decode(url.pathname.slice(1)) || "/";
  return {
    name: `${protocol}//${url.username ? `${url.username}@` : ""}${url.hostname}:${port}${url.pathname.replace(/^\/$/, "")}`,
    secure: protocol === "amqps:",
    hostname,
    port,
    vhost,
    username,
    inClear: protocol === "amqp:" && !isThisMachine(hostname),
    secrets() {
      const { password, ca, cert, key } = address.files?.() ?? {};
      const read = password?.toString("utf8").split(/\r?\n/, 1)[0];
      return {
        password: address.password ?? read ?? (decode(url.password) || "guest"),
        tls: { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) },
      };
    },
  };
}

/** A text without the secrets that may have slipped into it. */
export function redact(text: string, secrets: readonly string[]): string {
  let safe = text;
  for (const secret of secrets) {
    for (const form of new Set([secret, encodeURIComponent(secret)]))
      if (form) safe = safe.replaceAll(form, "********");
  }
  return safe;
}

function parse(url: string): URL {
  try {
    return new URL(url);
  } catch {
    // The error of Node carries the whole text, password included.
    throw new Error("the broker's url cannot be read: it is amqp://user@host:port/vhost or amqps://…");
  }
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new Error("the broker's url cannot be read: it holds a % that is not followed by two hexadecimal digits");
  }
}
