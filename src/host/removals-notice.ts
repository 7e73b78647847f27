import type { DatabaseSync } from "node:sqlite";
import { reason } from "../core/util/errors.ts";
import { noteQuestion, sayOpen } from "./store/removals.ts";

/** The line of the log about removals of one service that wait for a person: once for each digest. */
export class RemovalsNotice {
  readonly #database: DatabaseSync;
  readonly #service: string;
  readonly #log: (line: string) => void;
  #said: string | undefined;

  constructor(database: DatabaseSync, service: string, log: (line: string) => void) {
    this.#database = database;
    this.#service = service;
    this.#log = log;
  }

  /** Says which removals wait, if they are others than at the last time. */
  say(): void {
    try {
      const question = noteQuestion(this.#database, this.#service);
      if (question && question.digest !== this.#said) this.#log(sayOpen(this.#service, question));
      this.#said = question?.digest;
    } catch (error) {
      // The report makes the digest again, and a line of the log is not worth more than that.
      this.#log(`the digest of its held removals was not kept: ${reason(error)}`);
    }
  }

  /** Looks again where removals waited at the last time: some may have come back. */
  sayAgain(): void {
    if (this.#said !== undefined) this.say();
  }
}
