/**
 * Runs tasks concurrently. The first failure aborts the others and is rethrown once all have settled.
 * An abort by `signal` is not a failure.
 */
export async function concurrently(
  signal: AbortSignal,
  tasks: readonly ((signal: AbortSignal) => Promise<void>)[],
): Promise<void> {
  const failed = new AbortController();
  const until = AbortSignal.any([signal, failed.signal]);
  await Promise.all(tasks.map((task) => task(until).catch((error) => failed.abort(error))));
  if (failed.signal.aborted && failed.signal.reason !== signal.reason) throw failed.signal.reason;
}
