import { z } from "zod";
import { expected, named, text } from "./options.ts";

/** The users of the broker that may send plain messages, by service. */
export type Senders = { readonly [service: string]: readonly string[] };

/** The schema of the senders. */
export const sendersSchema = named(
  expected("a list of users of RabbitMQ", z.array(z.unknown()).min(1)).pipe(z.array(text)),
);
