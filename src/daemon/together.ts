/** Runs works side by side until all have ended. The first that fails stops the others, and is thrown once they have ended; who stops because `signal` says so has not failed. */
export async function together(
  signal: AbortSignal,
  works: readonly ((signal: AbortSignal) => Promise<void>)[],
): Promise<void> {
  const failed = new AbortController();
  const until = AbortSignal.any([signal, failed.signal]);
  await Promise.all(works.map((work) => work(until).catch((error) => failed.abort(error))));
  if (failed.signal.aborted && failed.signal.reason !== signal.reason) throw failed.signal.reason;
}
