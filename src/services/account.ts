import type { Directory, Entry } from "../core/directory/entry.ts";
import { Refusal } from "../core/util/errors.ts";

/** The state of an entry's account, by the attributes of the usual directories: disabled, locked, expired. */

/** An account; `usable` is true while nothing in its entry disables, locks or expires it, to the second. */
export interface Account {
  usable(directory: Directory): boolean;
}

/** The account of an entry. An unreadable value refuses the row, as it may mean that the account is disabled. */
export const account = (entry: Entry): Account => ({
  usable(directory) {
    if (disabled(entry)) return false;
    const from = latest([lockedUntil(entry), entry.date("pwdStartTime")]);
    const until = earliest([
      shadowEnd(entry),
      sambaEnd(entry),
      windowsEnd(entry),
      kerberosEnd(entry),
      entry.date("pwdEndTime"), // slapo-ppolicy(5)
    ]);
    // An account without dates depends on no clock.
    return from === undefined && until === undefined ? true : directory.during(from, until);
  },
});

function disabled(entry: Entry): boolean {
  return (
    /[DL]/.test(sambaFlags(entry)) ||
    isTrue(entry, "nsAccountLock") ||
    isTrue(entry, "loginDisabled") ||
    // A time, or 000001010000Z for a lock without end. When a lock of the policy's duration ends, only the server knows.
    entry.has("pwdAccountLockedTime") ||
    lockedForEver(entry) ||
    (Number(integer(entry, "userAccountControl") ?? 0n) & (accountDisable | lockout)) !== 0
  );
}

/** MS-ADTS, 2.2.16: the bits of userAccountControl. */
const [accountDisable, lockout] = [0x2, 0x10];

/** Samba's flags, such as `[DU         ]`: D is disabled, L is locked. */
function sambaFlags(entry: Entry): string {
  const text = entry.maybe("sambaAcctFlags") ?? "[]";
  const [, flags] = /^\[([A-Z ]*)\]$/i.exec(text) ?? [];
  if (flags === undefined) throw new Refusal(`sambaAcctFlags is not flags such as [U]: ${JSON.stringify(text)}`);
  return flags.toUpperCase();
}

const isTrue = (entry: Entry, attribute: string): boolean => entry.maybe(attribute)?.trim().toLowerCase() === "true";

const day = 86_400_000;

/** shadow(5): days since 1970, in UTC. A negative number means no end; 0, by which `chage -E 0` locks, is in the past, as for pam_unix. */
function shadowEnd(entry: Entry): Date | undefined {
  const days = integer(entry, "shadowExpire");
  if (days === undefined || days < 0n) return undefined;
  return dateOf("shadowExpire", days, Number(days) * day);
}

/** Samba's schema: seconds since 1970. 0 means no end, and so does the last second of 32 bits, which its tools write. */
function sambaEnd(entry: Entry): Date | undefined {
  const seconds = integer(entry, "sambaKickoffTime");
  if (seconds === undefined || seconds <= 0n || seconds === 2n ** 31n - 1n) return undefined;
  return dateOf("sambaKickoffTime", seconds, Number(seconds) * 1000);
}

/** MS-ADA1, 2.1: a FILETIME, in units of 100 ns since 1601; 0 and 2^63-1 mean no end. */
function windowsEnd(entry: Entry): Date | undefined {
  const time = integer(entry, "accountExpires");
  if (time === undefined || time === 0n || time === 2n ** 63n - 1n) return undefined;
  return dateOf("accountExpires", time, Number(time / 10_000n) - 11_644_473_600_000);
}

/** MIT Kerberos writes the beginning of 1970 for a principal that does not expire. */
function kerberosEnd(entry: Entry): Date | undefined {
  const end = entry.date("krbPrincipalExpiration");
  return end?.getTime() === 0 ? undefined : end;
}

/** 389 Directory Server: the end of a lock by its password policy; the beginning of 1970 if only a person ends it. */
const lockedUntil = (entry: Entry): Date | undefined => entry.date("accountUnlockTime");
const lockedForEver = (entry: Entry): boolean => lockedUntil(entry)?.getTime() === 0;

function integer(entry: Entry, attribute: string): bigint | undefined {
  const text = entry.maybe(attribute)?.trim();
  if (text === undefined) return undefined;
  if (!/^-?\d{1,20}$/.test(text)) throw new Refusal(`${attribute} is not a whole number: ${JSON.stringify(text)}`);
  return BigInt(text);
}

function dateOf(attribute: string, value: bigint, milliseconds: number): Date {
  const date = new Date(milliseconds);
  if (Number.isNaN(date.getTime())) throw new Refusal(`${attribute} is beyond the range of dates: ${value}`);
  return date;
}

const earliest = (dates: readonly (Date | undefined)[]): Date | undefined => inOrder(dates)[0];
const latest = (dates: readonly (Date | undefined)[]): Date | undefined => inOrder(dates).at(-1);

const inOrder = (dates: readonly (Date | undefined)[]): Date[] =>
  dates.filter((date) => date !== undefined).sort((a, b) => a.getTime() - b.getTime());
