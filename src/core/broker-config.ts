import { unknown } from "./nearest.ts";

/** What the config says of RabbitMQ. File names are relative to the config. */
export interface BrokerConfig {
  /** `amqp://user@host:port/vhost`, or `amqps://…` over TLS; of a cluster a list, one for each node: another is tried when one cannot be reached. */
  readonly url: string | readonly string[];
  /** A file whose first line is the password; the environment variable TRIGGER_BROKER_PASSWORD goes before it. */
  readonly passwordFile?: string;
  /** The authority that signed the server's certificate, where the machine does not know it already (PEM). */
  readonly ca?: string;
  /** This machine's own certificate and key (PEM). */
  readonly cert?: string;
  readonly key?: string;
  /** What queues are made as; `quorum` by default. */
  readonly queues?: "quorum" | "classic";
  /** Seconds after which a silent connection is asked whether it lives: one that hangs is noticed after about three times as long; 5 by default. */
  readonly heartbeat?: number;
}

const options = ["url", "passwordFile", "ca", "cert", "key", "queues", "heartbeat"];
const texts = ["passwordFile", "ca", "cert", "key"] as const;
const kinds = ["quorum", "classic"];

/** Says what is wrong with the broker of a config, without showing a password, or gives undefined when nothing is. */
export function wrongBroker(broker: Readonly<Record<string, unknown>>): string | undefined {
  const { url, queues, heartbeat } = broker;
  for (const option of Object.keys(broker)) {
    if (!options.includes(option)) return unknown("option of broker", option, options);
  }
  const urls: readonly unknown[] = Array.isArray(url) ? url : url === undefined ? [] : [url];
  if (urls.length === 0) return "broker.url is missing: amqp://user@host:port/vhost, or amqps://…; of a cluster a list";
  for (const option of texts) {
    const value = broker[option];
    if (value !== undefined && (typeof value !== "string" || value === "")) {
      return `broker.${option}: expected a text, found ${JSON.stringify(value)}`;
    }
  }
  const wrongAddress = urls.map(wrongUrl).find((wrong) => wrong !== undefined) ?? wrongCluster(urls.map(String));
  if (wrongAddress) return `broker.url: ${wrongAddress}`;
  if (queues !== undefined && (typeof queues !== "string" || !kinds.includes(queues))) {
    return `broker.queues: ${unknown("kind of queue", String(queues), kinds)}`;
  }
  if (heartbeat !== undefined && !(Number.isInteger(heartbeat) && Number(heartbeat) >= 1 && Number(heartbeat) <= 600)) {
    return `broker.heartbeat: expected whole seconds from 1 to 600, found ${JSON.stringify(heartbeat)}`;
  }
  if ((broker.cert === undefined) !== (broker.key === undefined)) return "broker.cert and broker.key go together";
  const tls = (["ca", "cert"] as const).find((option) => broker[option] !== undefined);
  if (tls && !`${urls[0]}`.startsWith("amqps:")) return `broker.${tls} needs a url that begins with amqps://`;
  return undefined;
}

function wrongUrl(url: unknown): string | undefined {
  if (typeof url !== "string") return `expected a text, found ${JSON.stringify(url)}`;
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (!parsed || !/^amqps?:$/.test(parsed.protocol) || parsed.hostname === "") {
    return `expected amqp://user@host:port/vhost or amqps://…, found ${JSON.stringify(withoutPassword(url))}`;
  }
  if (parsed.search || parsed.hash)
    return "has a ? or # in it: options stand beside the url, and a % code for the sign";
  return undefined;
}

/** The nodes of a cluster have one password, its users and its vhosts. */
function wrongCluster(urls: readonly string[]): string | undefined {
  const [first, ...others] = urls.map((url) => new URL(url));
  const differs = (["protocol", "username", "password", "pathname"] as const).find((part) =>
    others.some((other) => other[part] !== first?.[part]),
  );
  return differs && `the nodes of a cluster differ in host and port alone, and these in their ${differs}`;
}

/** Whatever stands before the host may be secret. */
const withoutPassword = (url: string): string => url.replace(/^([a-z+.-]*:)?.*@/is, "$1//…@");
