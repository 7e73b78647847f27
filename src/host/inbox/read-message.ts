import { protocolVersion, type ServiceMessage, serviceMessage } from "../../core/stream/messages.ts";
import { reason } from "../../core/util/errors.ts";
import { readJson } from "../../core/util/json.ts";
import { shown } from "../../core/util/shown.ts";

/** The largest body that is read, in bytes; ours are split far below. */
const largest = 16 * 1024 * 1024;

/** The content of a body: a message of the protocol, a plain message, or the reason why it cannot be read. */
export type ReadMessage = { readonly own: ServiceMessage } | { readonly plain: unknown } | { readonly wrong: string };

/**
 * Reads a body that came for a service. Our own messages are objects with `trigger` and `kind`; all other JSON is
 * plain.
 */
export function readMessage(body: Uint8Array, service: string): ReadMessage {
  if (body.length > largest) return { wrong: `${body.length} bytes, the limit is ${largest}` };
  let value: unknown;
  try {
    value = readJson(body);
  } catch (error) {
    // The message of a parser could show a secret.
    const isParsers = error instanceof SyntaxError || error instanceof TypeError;
    return { wrong: isParsers ? "not JSON in UTF-8" : reason(error) };
  }
  if (!isOwn(value)) return { plain: value };
  if (value.trigger !== protocolVersion) {
    return { wrong: `protocol version ${shown(value.trigger)}, but this host has version ${protocolVersion}` };
  }
  const read = serviceMessage.safeParse(value);
  if (!read.success) {
    const issue = read.error.issues[0];
    return { wrong: `not a message of the protocol: ${issue?.path.join(".")}: ${issue?.message}` };
  }
  if (read.data.service !== service) return { wrong: `about service ${shown(read.data.service)}` };
  return { own: read.data };
}

const isOwn = (value: unknown): value is { trigger: unknown } =>
  typeof value === "object" && value !== null && "trigger" in value && "kind" in value;
