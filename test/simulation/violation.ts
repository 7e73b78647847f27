/** Which of the promises was broken, and how. */
export class Violation extends Error {
  override name = "Violation";
  readonly promise: string;
  constructor(promise: string, detail: string) {
    super(`${promise}: ${detail}`);
    this.promise = promise;
  }
}
