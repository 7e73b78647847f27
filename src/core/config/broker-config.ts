import { z } from "zod";
import { expected, oneOf, options, rule, text, together, yesOrNo } from "./options.ts";
import { isThisMachine } from "./this-machine.ts";

/** RabbitMQ, between machines. Names of files are relative to the config. */
export interface BrokerConfig {
  /**
   * `amqp://user@host:port/vhost`, or `amqps://…` over TLS. For a cluster, a list with the URL of each node: if one
   * cannot be reached, another is tried.
   */
  readonly url: string | readonly string[];
  /** A file whose first line is the password; the environment variable TRIGGER_BROKER_PASSWORD takes precedence. */
  readonly passwordFile?: string;
  /**
   * A file with the certificate authorities to trust in place of the system's (PEM). This and `cert` need `amqps://`.
   */
  readonly ca?: string;
  /** A file with this machine's certificate (PEM); it needs `key`. */
  readonly cert?: string;
  /** A file with the key of `cert` (PEM). */
  readonly key?: string;
  /** The kind of queue to declare; `quorum` by default. */
  readonly queues?: "quorum" | "classic";
  /**
   * Seconds of silence, 1 to 600, after which the connection is probed; 5 by default. A hung connection is noticed
   * after about three times as long.
   */
  readonly heartbeat?: number;
  /**
   * True to allow a connection to another machine in the clear (`amqp://`), or without a user. An attacker on the
   * way can then read and change every message, and learns the password. False by default.
   */
  readonly insecure?: boolean;
}

const amqp = expected("amqp://user@host:port/vhost or amqps://…", z.url({ protocol: /^amqps?$/, hostname: /./ }));
const node = text.pipe(amqp).check(rule(wrongUrl));

/** The schema of `broker`, whose `url` becomes a list. No error message shows a password. */
export const brokerSchema = options<BrokerConfig>({
  url: z.preprocess((url) => [url ?? []].flat(), z.array(node)).check(rule(wrongCluster)),
  passwordFile: text.optional(),
  ca: text.optional(),
  cert: text.optional(),
  key: text.optional(),
  queues: oneOf("kind of queue", ["quorum", "classic"]).optional(),
  heartbeat: expected("whole seconds from 1 to 600", z.int().min(1).max(600)).optional(),
  insecure: yesOrNo.optional(),
}).check(
  together("cert", "key"),
  rule(({ url, ...files }, place) => {
    const tls = (["ca", "cert"] as const).find((option) => files[option] !== undefined);
    return tls && !`${url}`.startsWith("amqps:") && `${place}.${tls} needs a url that begins with amqps://`;
  }),
  rule(wrongSecrecy),
);

function wrongUrl(url: string, place: string): string | undefined {
  if (!/[?#]/.test(url)) return undefined;
  return `${place}: contains ? or #: give options beside the url, and write the character as a % code`;
}

/** Refuses a connection to another machine in the clear or without a user. No part of the sentence has a password. */
function wrongSecrecy({ url, insecure }: BrokerConfig, place: string): string | undefined {
  if (insecure) return undefined;
  const other = [url]
    .flat()
    .map((node) => new URL(node))
    .find(({ hostname }) => !isThisMachine(hostname));
  if (!other) return undefined;
  const { protocol, host, username } = other;
  if (protocol !== "amqps:") {
    return `${place}.url: messages and the password would travel in the clear to ${host}: use amqps://, or accept that with ${place}.insecure: true`;
  }
  if (username !== "") return undefined;
  return `${place}.url names no user for ${host}, and guest's password is known to all: write amqps://user@${host}, or accept that with ${place}.insecure: true`;
}

/** Checks that all nodes of a cluster have the same protocol, user, password and vhost. */
function wrongCluster(urls: readonly string[], place: string): string | undefined {
  const [first, ...others] = urls.map((url) => new URL(url));
  if (!first) return `${place} is missing: amqp://user@host:port/vhost, or amqps://…; for a cluster, a list`;
  const parts = ["protocol", "username", "password", "pathname"] as const;
  const differs = parts.find((part) => others.some((other) => other[part] !== first[part]));
  return differs && `${place}: the nodes of a cluster differ only in host and port, but these in their ${differs}`;
}
