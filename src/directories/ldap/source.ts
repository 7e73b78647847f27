import { backoff } from "../../core/util/backoff.ts";
import { UserError } from "../../core/util/errors.ts";
import type { DirectorySource, KnownEntry, SourceChange } from "../../ports/directory.ts";
import { Delivered } from "./delivered.ts";
import { LeftNames } from "./left-names.ts";
import { plausibility } from "./plausible.ts";
import { ReadAgain } from "./read-again.ts";
import { checkedFilter } from "./requests.ts";
import { openSession, type SessionOptions } from "./session.ts";
import { asksForCare, sayTrouble } from "./trouble.ts";

export type LdapSourceOptions = SessionOptions;

/** The waits after failures in a row, in milliseconds. */
const waits = { first: 250, longest: 15_000 };

/** The wait after refused credentials, in milliseconds: a password policy may count failures. */
const carefulWait = 60_000;

/** The duration of a good connection, in milliseconds: the next failure is then the first of a row. */
const steady = 30_000;

/**
 * An OpenLDAP server as a directory, followed by content synchronization (RFC 4533). Each connection reads the whole
 * content without a cookie, and delivers it as one change when it is complete. Then it delivers every change in the
 * server's order. A fault is trouble, never a smaller directory.
 */
export function ldapSource(options: LdapSourceOptions): DirectorySource {
  const { clock, log } = options;
  if (options.filter !== undefined) checkedFilter(options.filter);
  // A bind with a name and no password succeeds anonymously (RFC 4513, 5.1.2): it would read the public entries alone.
  if (options.bindDn !== undefined && !options.password) {
    throw new UserError(`directory.passwordFile: the password of ${options.bindDn} is empty`);
  }
  const followers = new Set<() => void>();

  async function* changes(signal: AbortSignal, known?: KnownEntry): AsyncGenerator<SourceChange> {
    const mustBePlausible = plausibility(options, log);
    const past = { left: new LeftNames(clock), delivered: new Delivered() };
    let refreshRequest = new AbortController();
    const ask = (): void => refreshRequest.abort();
    followers.add(ask);
    let failures = 0;
    try {
      while (!signal.aborted) {
        refreshRequest = new AbortController();
        const started = clock.monotonic();
        let error: unknown;
        try {
          const session = openSession(options, mustBePlausible, {
            signal,
            refreshRequested: refreshRequest.signal,
            known,
            past,
          });
          for await (const change of session) yield change;
        } catch (thrown) {
          error = thrown;
        }
        if (signal.aborted) return;
        if (clock.monotonic() - started > steady) failures = 0;
        if (refreshRequest.signal.aborted) continue;
        failures += 1;
        if (error instanceof ReadAgain) log(`the directory: ${error.message}: reading it whole again`);
        if (error instanceof ReadAgain && failures === 1) continue;
        yield { kind: "trouble", why: sayTrouble(error, options) };
        const wait = asksForCare(error) ? carefulWait : backoff(failures, waits);
        await clock.sleep(wait, AbortSignal.any([signal, refreshRequest.signal]));
      }
    } finally {
      followers.delete(ask);
    }
  }

  return {
    changes,
    refresh() {
      for (const ask of followers) ask();
    },
  };
}
