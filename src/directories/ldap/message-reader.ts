import type { Connection } from "./connection.ts";
import { answers, readResult, refuseAnswer } from "./result.ts";
import type { Message } from "./wire.ts";

/** The messages of a connection, one by one in the order of their arrival. */
export interface MessageReader {
  next(): Promise<Message>;
  /** True if another message has arrived already. */
  readonly more: boolean;
  /** All answers to a search. Other messages wait in their order. Throws a `ResultError` if the search fails. */
  answersTo(search: number): Promise<{ readonly entries: readonly Message[]; readonly done: Message }>;
}

/** The messages that may come between the entries of a search and its end. */
const besides: ReadonlySet<number> = new Set([answers.reference, answers.intermediate]);

export function messageReader(connection: Connection): MessageReader {
  let arrived: readonly Message[] = [];
  let at = 0;

  async function next(): Promise<Message> {
    while (at >= arrived.length) {
      arrived = await connection.next();
      at = 0;
    }
    const message = arrived[at++] as Message;
    // Message 0 is a notice of disconnection: it has the reason (RFC 4511, 4.4.1).
    if (message.id === 0) {
      readResult(message.body);
      throw new Error("the server has announced the end of the connection");
    }
    return message;
  }

  return {
    next,
    get more() {
      return at < arrived.length;
    },
    async answersTo(search) {
      const entries: Message[] = [];
      const others: Message[] = [];
      for (;;) {
        const message = await next();
        if (message.id !== search) others.push(message);
        else if (message.operation === answers.entry) entries.push(message);
        else if (message.operation === answers.done) {
          readResult(message.body);
          arrived = [...others, ...arrived.slice(at)];
          at = 0;
          return { entries, done: message };
        } else if (!besides.has(message.operation)) refuseAnswer(message);
      }
    },
  };
}
