/** The messages and bytes that one user sends at once, and in each second after that. */
const most = { messages: 2_000, bytes: 64 * 1024 * 1024 };
const eachSecond = { messages: 200, bytes: 2 * 1024 * 1024 };
/** The most users whose shares are known. A server has fewer. */
const mostUsers = 10_000;

interface Share {
  messages: number;
  bytes: number;
  at: number;
}

/**
 * The share of each user of the broker in the messages to the transcriber. A message beyond it is not read: reading
 * costs many times as much as taking it from the queue, which all hosts share. A repair of any size stays within the
 * share. `monotonic` returns milliseconds that never go back.
 */
export class UserShares {
  readonly #monotonic: () => number;
  readonly #used = new Map<string, Share>();

  constructor(monotonic: () => number) {
    this.#monotonic = monotonic;
  }

  /** Takes a message out of its user's share. False if the share is used up. A user that is unknown has no share. */
  takes(user: string | undefined, bytes: number): boolean {
    if (user === undefined) return true; // nothing tells hosts apart
    const now = this.#monotonic();
    const share = this.#of(user, now);
    const seconds = (now - share.at) / 1_000;
    share.messages = Math.max(0, share.messages - seconds * eachSecond.messages);
    share.bytes = Math.max(0, share.bytes - seconds * eachSecond.bytes);
    share.at = now;
    if (share.messages >= most.messages || share.bytes >= most.bytes) return false;
    share.messages += 1;
    share.bytes += bytes;
    return true;
  }

  #of(user: string, now: number): Share {
    const known = this.#used.get(user);
    if (known) return known;
    if (this.#used.size >= mostUsers) this.#used.clear();
    const share = { messages: 0, bytes: 0, at: now };
    this.#used.set(user, share);
    return share;
  }
}
