import { connect as connectTcp, isIP, type Socket } from "node:net";
import { checkServerIdentity, connect as connectTls, type PeerCertificate } from "node:tls";
import { withoutCommonName } from "../../core/util/without-common-name.ts";
import type { Clock } from "../../ports/clock.ts";
import { externalBind, type Operation, type RequestControl, request, simpleBind, startTls } from "./requests.ts";
import { answers, readResult } from "./result.ts";
import { type Message, messageCutter } from "./wire.ts";

/** The address of a directory, and the identity that reads it. */
export interface Access {
  /** `ldap://host:389`, `ldaps://host:636`, or `ldapi://%2Frun%2Fslapd%2Fldapi`. */
  readonly url: string;
  /**
   * The DN to bind with. Without it the system (ldapi) or the certificate names the reader, or the reader is anonymous.
   */
  readonly bindDn?: string;
  readonly password?: string;
  readonly startTls?: boolean;
  /** The authorities to trust in place of the system's, and the certificate and key of the client, in PEM. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** A bound connection to an LDAP server. */
export interface Connection {
  /** Sends a request; returns its message number, which its answers have. */
  send(operation: Operation, controls?: readonly RequestControl[]): number;
  /** The messages since the last call, at least one. Throws with the reason once the connection has ended. */
  next(): Promise<Message[]>;
  /** The time at which bytes last arrived, on the monotonic clock. */
  readonly heard: number;
  /** Ends the connection; `next` throws the reason. */
  close(why?: Error): void;
}

/** The longest wait for an answer to a connection, StartTLS or a bind, in milliseconds. */
const answerTimeout = 10_000;

/** The most bytes of unread messages before the server is made to wait. */
const mostWaiting = 16 * 1024 * 1024;

/** A step towards a bound connection; the message about a failure names it. */
export type Step = "connect" | "StartTLS" | "bind";

/** The error of a failed connection: the step, with the reason as its cause. */
export class NoConnection extends Error {
  override name = "NoConnection";
  readonly step: Step;
  constructor(step: Step, cause: unknown) {
    super(step, { cause });
    this.step = step;
  }
}

/** Connects and binds. */
export async function connect(access: Access, clock: Clock, signal: AbortSignal): Promise<Connection> {
  const line = lineOf(access, clock);
  const abort = (): void => line.close(new Error("the work is over"));
  signal.addEventListener("abort", abort);
  const tooLate = new AbortController();
  void clock.sleep(answerTimeout, AbortSignal.any([tooLate.signal, signal])).then(() => {
    if (!tooLate.signal.aborted) line.close(new Error(`no answer within ${answerTimeout / 1000} s`));
  });
  let step: Step = "connect";
  try {
    signal.throwIfAborted();
    await line.connected();
    if (access.startTls) {
      step = "StartTLS";
      await answerTo(line, startTls, answers.extended);
      await line.secure();
    }
    step = "bind";
    const bind = bindOf(access);
    if (bind) await answerTo(line, bind, answers.bind);
    return {
      ...line,
      get heard() {
        return line.heard;
      },
      close(why) {
        signal.removeEventListener("abort", abort);
        line.close(why);
      },
    };
  } catch (error) {
    signal.removeEventListener("abort", abort);
    line.close();
    throw new NoConnection(step, error);
  } finally {
    tooLate.abort();
  }
}

function bindOf({ url, bindDn, password = "", cert }: Access): Operation | undefined {
  if (bindDn !== undefined) return simpleBind(bindDn, password);
  return url.startsWith("ldapi:") || cert !== undefined ? externalBind : undefined;
}

/** Sends a request that has one answer, and reads it. */
async function answerTo(line: Line, operation: Operation, expected: number): Promise<void> {
  const id = line.send(operation);
  const [message, ...more] = await line.next();
  if (message?.id !== id || message.operation !== expected || more.length > 0) {
    if (message?.id === 0 && message.operation === answers.extended) readResult(message.body);
    throw new Error("the server sent another message than the answer");
  }
  readResult(message.body);
}

interface Line extends Connection {
  connected(): Promise<void>;
  /** Continues in TLS. */
  secure(): Promise<void>;
}

function lineOf(access: Access, clock: Clock): Line {
  let cut = messageCutter();
  let socket = openSocket(access);
  let waiting: Message[] = [];
  let bytes = 0;
  let ended: Error | undefined;
  let ids = 0;
  let heard = clock.monotonic();
  let wake = (): void => {};

  const end = (why: Error): void => {
    ended ??= why;
    wake();
  };
  const take = (chunk: Buffer): void => {
    heard = clock.monotonic();
    try {
      for (const message of cut(chunk)) {
        waiting.push(message);
        bytes += message.size;
      }
    } catch (error) {
      end(error as Error);
      socket.destroy();
    }
    if (bytes > mostWaiting) socket.pause();
    if (waiting.length > 0) wake();
  };
  const closed = (): void => end(new Error("the server closed the connection"));
  const listen = (): void => {
    socket.on("data", take).on("error", end).on("close", closed);
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 30_000);
  };
  const ready = (event: "connect" | "secureConnect"): Promise<void> =>
    new Promise((resolve, reject) => {
      socket.once(event, resolve);
      wake = () => ended && reject(ended);
      wake();
    });
  listen();

  return {
    connected: () => ready(access.url.startsWith("ldaps:") ? "secureConnect" : "connect"),
    secure() {
      socket.off("data", take).off("close", closed);
      // Bytes in the clear after the answer may be an attacker's: a message is refused, a part of one is dropped.
      if (waiting.length > 0) throw new Error("the server sent more data in the clear");
      cut = messageCutter();
      socket = connectTls({ socket, ...tlsOf(access) });
      listen();
      return ready("secureConnect");
    },
    send(operation, controls) {
      ids += 1;
      socket.write(request(ids, operation, controls));
      return ids;
    },
    async next() {
      while (waiting.length === 0) {
        if (ended) throw ended;
        await new Promise<void>((resolve) => (wake = resolve));
      }
      const messages = waiting;
      waiting = [];
      bytes = 0;
      socket.resume();
      return messages;
    },
    get heard() {
      // A server that is made to wait cannot answer.
      return waiting.length > 0 ? clock.monotonic() : heard;
    },
    close(why = new Error("the connection was closed")) {
      end(why);
      socket.destroy();
    },
  };
}

function openSocket(access: Access): Socket {
  const { protocol, hostname, port, path } = placeOf(access.url);
  if (protocol === "ldapi:") return connectTcp({ path });
  if (protocol === "ldap:") return connectTcp({ host: hostname, port: port ?? 389 });
  return connectTls({ port: port ?? 636, ...tlsOf(access) });
}

const checkName = (host: string, own: PeerCertificate) => checkServerIdentity(host, withoutCommonName(own));

function tlsOf({ url, ca, cert, key }: Access) {
  const { hostname } = placeOf(url);
  // The name that the certificate must bear; TLS itself knows no addresses (RFC 6066, 3).
  const name = isIP(hostname) ? {} : { servername: hostname };
  return { ca, cert, key, host: hostname, ...name, checkServerIdentity: checkName };
}

function placeOf(url: string) {
  const [, protocol = "", rest = ""] = /^([a-z]+:)\/\/([^/?]*)/.exec(url) ?? [];
  if (protocol === "ldapi:") return { protocol, hostname: "", path: decodeURIComponent(rest) || "/run/slapd/ldapi" };
  const [, hostname = "", port] = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(rest) ?? [];
  const host = hostname.replace(/^\[|\]$/g, "") || "localhost";
  return { protocol, hostname: host, port: port ? Number(port) : undefined, path: "" };
}
