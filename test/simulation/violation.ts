/** A broken promise: its name and the details. */
export class Violation extends Error {
  override name = "Violation";
  readonly promise: string;
  constructor(promise: string, detail: string) {
    super(`${promise}: ${detail}`);
    this.promise = promise;
  }
}
