import { reason } from "../../core/util/errors.ts";
import { type Question, sayQuestion } from "../store/retained.ts";
import type { ServiceStore } from "../store/service-store.ts";

/** The line of the log about removals of one service that wait for a person: once for each digest. */
export class RemovalsNotice {
  readonly #store: ServiceStore;
  readonly #log: (line: string) => void;
  #said: string | undefined;

  constructor(store: ServiceStore, log: (line: string) => void) {
    this.#store = store;
    this.#log = log;
  }

  /** Says which removals wait, if they are others than at the last time. */
  say(): void {
    try {
      const question = this.#store.removals.noteQuestion();
      if (question && question.digest !== this.#said) this.#log(sayOpen(this.#store.name, question));
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

/** The line that the log has of an open question. */
const sayOpen = (service: string, question: Question): string =>
  `${sayQuestion(question)}: \`trigger diff ${service}\` lists them here, \`trigger approve ${service} ${question.digest}\` lets them go`;
