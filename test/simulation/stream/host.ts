import { CellTable } from "../../../src/core/stream/cell-table.ts";
import type { CellChange } from "../../../src/core/stream/cells.ts";
import { keyHash } from "../../../src/core/stream/digest.ts";
import type { Followed, Followup, TableQuestion } from "../../../src/core/stream/host-end.ts";
import type { RefusalMessage, StreamMessage } from "../../../src/core/stream/messages.ts";
import { rangesWithout } from "../../../src/core/stream/ranges.ts";
import { type FollowRules, followWith } from "../follow-rules.ts";
import { Violation } from "../violation.ts";
import { type Queue, queue } from "./queue.ts";
import { buckets, keys, service, stateOf, type Truth, timedKey, type Version } from "./truth.ts";

/**
 * A host of the model: a store that survives crashes and can be restored, the real rules, and a judge that knows the
 * truth.
 */

/** A message from a host to transcribers. */
export type Said =
  | { readonly kind: "ask"; readonly host: number; readonly want: TableQuestion }
  | ({ readonly kind: "refusal"; readonly host: number } & Pick<
      RefusalMessage,
      "epoch" | "asOf" | "refused" | "because"
    >);

export interface Host {
  readonly queue: Queue<StreamMessage>;
  readonly up: boolean;
  /**
   * Takes the next message into the store and returns the messages to send for it. The acknowledgement is another step.
   */
  take(): { readonly message: StreamMessage; readonly followup: Followup } | undefined;
  start(): void;
  crash(): void;
  backUp(): void;
  restore(): void;
  holds(version: Version): boolean;
}

interface Store {
  readonly followed: Followed;
  readonly rows: readonly CellChange[];
  readonly staged: readonly CellChange[];
  /** For the judge: by key, the moment since which the directory had the content that the host last received for it. */
  readonly since: readonly number[];
  /** For the judge: the phase of the clock at which the timed row was last received. */
  readonly phase: number;
}

const keyHashes = keys.map(keyHash);

export function host(truth: Truth, rules: FollowRules): Host {
  const follow = followWith(rules);
  const incoming = queue<StreamMessage>(5, 3);
  let up = true;
  let followed: Followed = {};
  let table = new CellTable(service, buckets);
  let staged: CellChange[] = [];
  let since = keys.map(() => -1);
  let phase = 0;
  let asked = 0;
  let backup: Store = { followed, rows: [], staged, since: [...since], phase };

  function take() {
    const message = incoming.deliver();
    if (!message) return undefined;
    const followup = follow(followed, message, table.digest);
    const { write } = followup;
    const adopted = followup.followed !== followed;
    if (adopted && message.epoch > (followed.mark?.epoch ?? 0)) {
      // The clocks of two transcribers are not compared: the new one's may be slightly behind.
      phase = 0;
      // An epoch that says that the directory was rolled back may return any row to an older value.
      if (message.rolledBack) since = keys.map(() => -1);
    }
    if (write?.kind === "stage") staged = write.first ? [...write.rows] : [...staged, ...write.rows];
    if (write?.kind === "rows") {
      const rows = write.staged ? [...staged, ...write.rows] : write.rows;
      judgeRows(message, new Set(rows.map(([key]) => keys.indexOf(key as (typeof keys)[number]))));
      table.apply(rows);
    }
    if (write?.kind === "part") {
      const { from, to, same = [] } = write.part;
      const ranges = rangesWithout([from, to], same);
      const written = (hash: number): boolean => ranges.some(([start, end]) => hash >= start && hash < end);
      judgeRows(message, new Set(keys.keys().filter((key) => written(keyHashes[key]!))));
      table.replace(write.part);
    }
    const before = followed;
    followed = followup.followed;
    if (adopted) judgeMark(before, message);
    return { message, followup: { ...followup, ...(followup.ask && { ask: narrowed(followup.ask) }) } };
  }

  /** Every other request for a range carries the sums of the host's parts. */
  function narrowed(want: TableQuestion): TableQuestion {
    if (typeof want === "string" || ++asked % 2 === 0) return want;
    return { ...want, have: table.sums([want.from, want.to], 2) };
  }

  function judgeRows(message: StreamMessage, written: Iterable<number>): void {
    const version = versionOf(message);
    for (const key of written) {
      const moment = truth.since(key, version);
      if (moment < since[key]!) {
        throw new Violation("a row went back", `${keys[key]} as of ${moment}, after ${since[key]}`);
      }
      since[key] = moment;
      if (key !== timedKey) continue;
      if (version.phase < phase) throw new Violation("a row went back", `to phase ${version.phase} from ${phase}`);
      phase = version.phase;
    }
  }

  function judgeMark(before: Followed, message: StreamMessage): void {
    const { mark, equal, doubt } = followed;
    if (!mark) return;
    if (before.mark) {
      const stepsBack = mark.epoch - before.mark.epoch || mark.seq - before.mark.seq;
      const place = `(${mark.epoch}, ${mark.seq}) after (${before.mark.epoch}, ${before.mark.seq})`;
      if (stepsBack < 0) throw new Violation("the mark went back", place);
      const meant = message.rolledBack && mark.epoch > before.mark.epoch;
      const state = stateOf(mark.asOf.state);
      const was = stateOf(before.mark.asOf.state);
      if (state < was && !meant) throw new Violation("the directory state went back", `${state} after ${was}`);
    }
    if (equal && equal !== before.equal && !holds(versionOf(equal))) {
      throw new Violation("equal is not true", `at (${equal.epoch}, ${equal.seq})`);
    }
    if (!doubt && !holds(versionOf(mark))) {
      throw new Violation("a host without doubt lacks rows", `at (${mark.epoch}, ${mark.seq})`);
    }
  }

  const holds = (version: Version): boolean =>
    keys.every((key, index) => (table.get(key) ?? null) === truth.cell(index, version));

  return {
    queue: incoming,
    get up() {
      return up;
    },
    take,
    start() {
      up = true;
    },
    crash() {
      up = false;
      const { repair: _, ...stored } = followed;
      followed = stored;
      incoming.giveBack();
    },
    backUp() {
      const { repair: _, ...stored } = followed;
      backup = { followed: stored, rows: [...table.entries()], staged, since: [...since], phase };
    },
    restore() {
      followed = backup.followed;
      table = new CellTable(service, buckets);
      table.apply(backup.rows);
      staged = [...backup.staged];
      since = [...backup.since];
      phase = backup.phase;
    },
    holds,
  };
}

const versionOf = ({ asOf }: Pick<StreamMessage, "asOf">): Version => ({
  state: stateOf(asOf.state),
  phase: asOf.clock,
});
