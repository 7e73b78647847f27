import { type Followed, type Followup, follow } from "../../src/core/stream/host-end.ts";
import type { StreamMessage } from "../../src/core/stream/messages.ts";

/** The rules of a host's end of a stream that a simulation can take away, to see what each prevents. */
export interface FollowRules {
  /** An older epoch is refused. */
  readonly epoch: boolean;
  /** An older directory state is refused. */
  readonly asOf: boolean;
  /** Rows up to the mark are duplicates. */
  readonly duplicate: boolean;
  /** Digests and parts from before the mark are dropped. */
  readonly late: boolean;
}

export const allFollowRules: FollowRules = { epoch: true, asOf: true, duplicate: true, late: true };

/**
 * The function `follow` with some of the rules. Where the real one turns a message away by a rule that is off,
 * it is asked again with a mark that the message does not break: one of an earlier epoch, state or number.
 */
export function followWith(rules: FollowRules): typeof follow {
  if (Object.values(rules).every((on) => on)) return follow;
  return (held, message, table) => {
    let seen = held;
    for (;;) {
      const followup = follow(seen, message, table);
      const next = turnedAway(seen, message, followup, rules);
      if (next === undefined) return { ...followup, followed: withOwnMark(followup.followed, seen, held) };
      seen = next;
    }
  };
}

/** The held state, with a mark that lets the message pass; undefined if no rule that is off turned it away. */
function turnedAway(
  held: Followed,
  message: StreamMessage,
  { refused, dropped }: Followup,
  rules: FollowRules,
): Followed | undefined {
  const { mark } = held;
  if (!mark) return undefined;
  if (refused === "epoch" && !rules.epoch) return { ...held, mark: { ...mark, epoch: message.epoch - 1 } };
  if (refused === "asOf" && !rules.asOf) return { ...held, mark: { ...mark, asOf: { ...mark.asOf, state: [] } } };
  const isBehind = mark.epoch === message.epoch && message.seq <= mark.seq;
  // Two before it: the message is neither a duplicate nor the next in sequence.
  const earlier = { ...held, mark: { ...mark, seq: message.seq - 2 } };
  if (dropped === "duplicate" && isBehind && !rules.duplicate) return earlier;
  return dropped === "late" && !rules.late ? earlier : undefined;
}

/** The state after a message, with the mark that is held, unless the message moved it. */
function withOwnMark(followed: Followed, seen: Followed, held: Followed): Followed {
  if (followed === seen) return held;
  return followed.mark === seen.mark && held.mark ? { ...followed, mark: held.mark } : followed;
}
