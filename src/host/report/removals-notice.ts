import { reason } from "../../core/util/errors.ts";
import { type Question, sayQuestion } from "../store/retained.ts";
import type { ServiceStore } from "../store/service-store.ts";

/** The log line about removals of one service that wait for a person: once for each digest. */
export class RemovalsNotice {
  readonly #store: ServiceStore;
  readonly #log: (line: string) => void;
  #said: string | undefined;

  constructor(store: ServiceStore, log: (line: string) => void) {
    this.#store = store;
    this.#log = log;
  }

  /** Logs which removals wait, if they differ from those of the last time. */
  say(): void {
    try {
      const question = this.#store.removals.noteQuestion();
      if (question && question.digest !== this.#said) this.#log(sayOpen(this.#store.name, question));
      this.#said = question?.digest;
    } catch (error) {
      // The report computes the digest again, and a log line is not worth an error.
      this.#log(`the digest of its held removals could not be stored: ${reason(error)}`);
    }
  }

  /** Logs again if removals waited the last time: some may have come back. */
  sayAgain(): void {
    if (this.#said !== undefined) this.say();
  }
}

/** The log line about an open question. */
const sayOpen = (service: string, question: Question): string =>
  `${sayQuestion(question)}: \`trigger diff ${service}\` lists them here, \`trigger approve ${service} ${question.digest}\` approves them`;
