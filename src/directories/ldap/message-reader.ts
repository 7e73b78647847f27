import type { Connection } from "./connection.ts";
import { answers, readResult, refuseAnswer } from "./result.ts";
import type { Message } from "./wire.ts";

/** The messages of a connection, one by one in the order of their arrival. */
export interface MessageReader {
  next(): Promise<Message>;
  /** True if another message has arrived already. */
  readonly more: boolean;
  /**
   * All answers to a search. Other messages wait in their order. Throws a `ResultError` if the search fails, and an
   * error once more than `most` bytes have come before its end: 64 MiB by default.
   */
  answersTo(search: number, most?: number): Promise<{ readonly entries: readonly Message[]; readonly done: Message }>;
}

/** The most bytes that come before the end of an answer about the server itself, such as its schema. */
const longestAnswer = 64 * 1024 * 1024;

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
    async answersTo(search, most = longestAnswer) {
      let bytes = 0;
      const entries: Message[] = [];
      const others: Message[] = [];
      for (;;) {
        const message = await next();
        bytes += message.size;
        if (bytes > most) throw new Error(`the server sends more than ${most} bytes in answer to one question`);
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
