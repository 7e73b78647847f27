import { z } from "zod";
import { lastMoment, protocolVersion, textLimit } from "./messages.ts";

/** The orders of persons and the answers of hosts. They travel beside the data, in the queue `control` of each host. */

/** The form of an order's id: a UUID of version 7 (RFC 9562, 5.7), so ids sort by the time at which they were made. */
const orderId = z.string().regex(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);

const moment = z.number().int().min(0).max(lastMoment);

/** An order of a person about one service, to the hosts that it names. */
export const orderMessage = z.object({
  trigger: z.literal(protocolVersion),
  kind: z.literal("order"),
  id: orderId,
  /** The hosts that obey. */
  hosts: z.array(z.string().max(255)).min(1).max(10_000).readonly(),
  /** A service of these hosts; `event` for their transcribers, which take `verify` alone. */
  service: z.string().max(255),
  order: z.enum(["regen", "retry", "approve", "verify", "adopt", "hold", "drop"]),
  /** The time at which it was given, by the clock of the person's machine, in milliseconds since 1970. */
  at: moment,
  /** The person, as the machine knows it: `alice on civet`. */
  by: z.string().max(500),
  /** With `adopt`: the name of the record or file to take over. */
  name: z.string().max(textLimit).optional(),
  /** With `adopt`: also a name that no row has, which is then removed. */
  remove: z.boolean().optional(),
  /** With `drop`: the number of one parked message; all of them otherwise. */
  number: z.number().int().optional(),
  /** With `hold`: the reason. */
  why: z.string().max(textLimit).optional(),
  /** With `approve`: the digest of the removals or replacements that were shown. */
  digest: z.string().max(textLimit).optional(),
  /**
   * With `approve`: a number of removals that are allowed until then (milliseconds since 1970), beside the limit of an
   * hour.
   */
  allow: z.object({ rows: z.number().int().min(0), until: moment }).optional(),
});
export type OrderMessage = z.infer<typeof orderMessage>;

/** An order without its envelope: what is asked of a service. */
export type Asked = Omit<OrderMessage, "trigger" | "kind" | "id" | "hosts" | "at" | "by">;

/** The result of an order on one host: it was done, or it was refused and changed nothing. */
export const outcome = z.object({
  done: z.boolean(),
  /** The effect of the order, or the reason why it has none, in a sentence for a person. */
  text: z.string().transform((said) => said.slice(0, textLimit)),
  /** True if things of the service still wait for an approval with a digest, which `text` names. */
  waits: z.boolean().optional(),
});
export type Outcome = z.infer<typeof outcome>;

/** The ways by which an order reaches a host. */
export const ways = ["broker", "socket"] as const;
export type Way = (typeof ways)[number];

/** The answer of a host to an order. It has the order again, since it may have come by the host's own socket. */
export const answerMessage = z.object({
  trigger: z.literal(protocolVersion),
  kind: z.literal("answer"),
  host: z.string().max(255),
  order: orderMessage,
  ...{ way: z.enum(ways), outcome },
  /** The host's clock, in milliseconds since 1970. */
  at: moment,
});
export type AnswerMessage = z.infer<typeof answerMessage>;

/** Makes the id of an order that is given at a time; `random` is at least ten random bytes. */
export function orderIdOf(at: number, random: Uint8Array): string {
  const time = Math.max(0, Math.floor(at)).toString(16).padStart(12, "0").slice(-12);
  const [version = 0, second = 0, variant = 0, ...rest] = random;
  const bytes = [0x70 | (version & 0x0f), second, 0x80 | (variant & 0x3f), ...rest.slice(0, 7)];
  const hex = time + bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
