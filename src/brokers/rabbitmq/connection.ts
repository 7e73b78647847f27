import type { Duplex } from "node:stream";
import { checkServerIdentity, type PeerCertificate } from "node:tls";
import { type ChannelModel, connect } from "amqplib";
import { reason } from "../../core/util/errors.ts";
import { withoutCommonName } from "../../core/util/without-common-name.ts";
import { redact, type Target } from "./credentials.ts";
import { refusalOf } from "./refusal.ts";

/**
 * The purpose of a connection. During an alarm the server does not read one that publishes, so acknowledgements go over
 * another one.
 */
export type Role = "consumes" | "publishes";

/** One connection to the server. */
export interface Connection {
  readonly model: ChannelModel;
  readonly server: Server;
  /** The reason why the server does not read this connection now (connection.blocked); undefined if it does. */
  readonly blocked: string | undefined;
  /** Resolves with the reason when the connection has ended in any way. */
  readonly ended: Promise<string>;
  /** Closes the connection in order; without an answer of the server in time it is destroyed. */
  close(): Promise<void>;
  /** Destroys the connection without a closing handshake, for the reason `why`. */
  destroy(why: string): void;
}

export interface Server {
  readonly product: string;
  readonly version: string;
}

/** The longest waits for the server at the opening and at the closing of a connection, in milliseconds. */
const openTimeout = 10_000;
const closeTimeout = 2_000;

/** Opens a connection. Errors contain no secret. Each block by the server, and its end, is logged. */
export async function openConnection(
  target: Target,
  role: Role,
  heartbeat: number,
  log: (line: string) => void,
): Promise<Connection> {
  const { password, tls } = target.secrets();
  const safe = (why: unknown): string => redact(reason(why), [password]);
  // The limit of amqplib begins again at each byte: a peer that sends one a second would hold the opening for ever.
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), openTimeout);
  const model = await open(target, role, heartbeat, password, { ...tls, signal: late.signal })
    .catch((error) => {
      const why = late.signal.aborted ? `no connection within ${openTimeout / 1000} s` : safe(error);
      throw new Error(refusalOf(why, target));
    })
    .finally(() => clearTimeout(timer));
  // The types of amqplib leave the socket out; ending the connection in order needs a server that answers.
  const { stream } = model.connection as unknown as { stream: Duplex };
  const { product = "unknown", version = "unknown" } = model.connection.serverProperties;

  let blocked: string | undefined;
  model.on("blocked", (why) => {
    const since = blocked;
    blocked = why || "no reason given";
    if (since === undefined) log(`${target.name} takes no messages now (${blocked}): published messages wait`);
  });
  model.on("unblocked", () => {
    blocked = undefined;
    log(`${target.name} accepts messages again`);
  });
  const { promise: ended, resolve: end } = Promise.withResolvers<string>();
  // With an error: amqplib ends its timers at an error, and not when a socket merely closes.
  const destroy = (why: string): void => {
    end(why);
    stream.destroy(new Error(why));
  };
  model.on("error", (error) => end(safe(error)));
  model.on("close", (error) => {
    end(error ? safe(error) : "closed");
    stream.destroy();
  });

  return {
    model,
    server: { product, version },
    get blocked() {
      return blocked;
    },
    ended,
    async close() {
      const timer = setTimeout(() => destroy("the server did not answer the closing"), closeTimeout);
      // A connection that is already closed rejects with an error.
      await Promise.race([model.close().catch(() => {}), ended]);
      clearTimeout(timer);
      stream.destroy();
    },
    destroy,
  };
}

const checkName = (host: string, own: PeerCertificate) => checkServerIdentity(host, withoutCommonName(own));

function open(
  { secure, hostname, port, vhost, username }: Target,
  role: Role,
  heartbeat: number,
  password: string,
  { signal, ...tls }: { readonly signal: AbortSignal },
): Promise<ChannelModel> {
  return connect(
    { protocol: secure ? "amqps" : "amqp", hostname, port, vhost, username, password, heartbeat },
    {
      ...(secure && { ...tls, checkServerIdentity: checkName }),
      ...{ signal }, // an option of node:net, which the types of amqplib leave out
      noDelay: true, // with Nagle's algorithm a message takes 6 ms instead of 1
      keepAlive: true,
      timeout: openTimeout,
      clientProperties: { connection_name: `trigger ${role}` },
    },
  );
}
