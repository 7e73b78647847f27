import { z } from "zod";
import { expected, oneOf, options, rule, text, together } from "./options.ts";

/** RabbitMQ, between machines. Names of files are relative to the config. */
export interface BrokerConfig {
  /** `amqp://user@host:port/vhost`, or `amqps://…` over TLS. Of a cluster a list, a url for each node: another is tried when one cannot be reached. */
  readonly url: string | readonly string[];
  /** A file whose first line is the password; the environment variable TRIGGER_BROKER_PASSWORD goes before it. */
  readonly passwordFile?: string;
  /** A file with the authorities to trust in place of the system's (PEM); this and `cert` need `amqps://`. */
  readonly ca?: string;
  /** A file with this machine's certificate (PEM); `key` goes with it. */
  readonly cert?: string;
  /** A file with the key of `cert` (PEM). */
  readonly key?: string;
  /** The kind of queue that is declared; `quorum` by default. */
  readonly queues?: "quorum" | "classic";
  /** Seconds, 1 to 600, after which a silent connection is asked whether it lives; 5 by default. One that hangs is noticed after about three times as long. */
  readonly heartbeat?: number;
}

const amqp = expected("amqp://user@host:port/vhost or amqps://…", z.url({ protocol: /^amqps?$/, hostname: /./ }));
const node = text.pipe(amqp).check(rule(wrongUrl));

/** The schema of `broker`, whose `url` becomes a list. No sentence of it shows a password. */
export const brokerSchema = options<BrokerConfig>({
  url: z.preprocess((url) => [url ?? []].flat(), z.array(node)).check(rule(wrongCluster)),
  passwordFile: text.optional(),
  ca: text.optional(),
  cert: text.optional(),
  key: text.optional(),
  queues: oneOf("kind of queue", ["quorum", "classic"]).optional(),
  heartbeat: expected("whole seconds from 1 to 600", z.int().min(1).max(600)).optional(),
}).check(
  together("cert", "key"),
  rule(({ url, ...files }, place) => {
    const tls = (["ca", "cert"] as const).find((option) => files[option] !== undefined);
    return tls && !`${url}`.startsWith("amqps:") && `${place}.${tls} needs a url that begins with amqps://`;
  }),
);

function wrongUrl(url: string, place: string): string | undefined {
  if (!/[?#]/.test(url)) return undefined;
  return `${place}: has a ? or # in it: options stand beside the url, and a % code for the sign`;
}

/** The nodes of a cluster have one password, its users and its vhosts. */
function wrongCluster(urls: readonly string[], place: string): string | undefined {
  const [first, ...others] = urls.map((url) => new URL(url));
  if (!first) return `${place} is missing: amqp://user@host:port/vhost, or amqps://…; of a cluster a list`;
  const parts = ["protocol", "username", "password", "pathname"] as const;
  const differs = parts.find((part) => others.some((other) => other[part] !== first[part]));
  return differs && `${place}: the nodes of a cluster differ in host and port alone, and these in their ${differs}`;
}
