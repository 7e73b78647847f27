import { allFollowRules, type FollowRules } from "../follow-rules.ts";
import type { StoreBreak } from "./store.ts";

export interface Safeguard {
  /** The behaviour without the safeguard. */
  readonly without: string;
  /**
   * The first seed, from 0, that noticed the break when it was last searched for (`npm run simulate -- --break all`).
   * One of the first `within` seeds notices it.
   */
  readonly seed: number;
  readonly within: number;
}

/**
 * The safeguards that a simulation can remove, to show that it notices the effect of each: docs/design/simulation.md.
 */
export const breaks = {
  epoch: { without: "messages of an older epoch are accepted", seed: 38, within: 140 },
  "as-of": { without: "messages of an older directory state are accepted", seed: 0, within: 40 },
  duplicate: { without: "rows up to the mark are accepted again", seed: 2, within: 90 },
  part: { without: "digests and parts from before the mark are accepted", seed: 52, within: 160 },
  "unique-epoch": { without: "every transcriber counts its epochs from 1", seed: 0, within: 30 },
  "spoken-refusal": { without: "hosts refuse in silence, and report nothing", seed: 0, within: 60 },
  "in-band-digest": { without: "no digest is published at an interval", seed: 2, within: 30 },
  complete: { without: "half of an interrupted refresh counts as the whole", seed: 2, within: 30 },
  "complete-first": { without: "a host runs on a table that was never whole", seed: 3, within: 60 },
  "in-doubt": { without: "keys of a failed run are not in doubt", seed: 24, within: 60 },
  incarnation: { without: "a restarted daemon counts as the same one", seed: 24, within: 80 },
  check: { without: "the check accepts everything", seed: 24, within: 60 },
  "stage-sync": { without: "staged files are not synced", seed: 0, within: 30 },
  "folder-sync": { without: "folders are not synced, so a power cut may undo a rename", seed: 0, within: 60 },
  rename: { without: "a file is written in place instead of renamed", seed: 0, within: 30 },
  order: { without: "the daemon reloads before its file is in place", seed: 0, within: 30 },
  "last-good": { without: "no last good file is kept", seed: 0, within: 60 },
  journal: { without: "installs are not recorded before they begin", seed: 0, within: 70 },
  "three-way": {
    without: "the present file is not read: it counts as the last text installed",
    seed: 33,
    within: 80,
  },
  probe: { without: "the probe accepts everything", seed: 26, within: 160 },
  "take-over": { without: "a foreign file counts as trigger's own", seed: 10, within: 60 },
  foreign: { without: "every record of a daemon counts as trigger's own", seed: 0, within: 30 },
  hold: { without: "a person's hold has no effect", seed: 1, within: 60 },
  removals: { without: "removals are not counted", seed: 12, within: 60 },
  "steady-clock": { without: "pace and backoff use the wall clock", seed: 2, within: 60 },
  bisection: { without: "all rows of a refused text wait, not only the bad one", seed: 24, within: 150 },
  signature: { without: "hosts take messages without a trusted signature", seed: 2, within: 150 },
  wave: { without: "a host does not wait for the wave before it", seed: 0, within: 60 },
  "wave-within": { without: "a host waits twice as long for the wave before it", seed: 39, within: 300 },
  "refused-remove": { without: "a row that grants access stays when it is refused", seed: 14, within: 150 },
  approval: { without: "an approval releases all held removals", seed: 131, within: 400 },
  "stored-first": { without: "messages are acknowledged before they are stored", seed: 26, within: 100 },
} as const satisfies Record<string, Safeguard>;

export type Break = keyof typeof breaks;

const beginning = { epoch: 0, seq: 0, asOf: { state: [], clock: 0 } };

/** True if a statement returns the facts of a service, whether read or just written. */
const givesFacts = (sql: string): boolean =>
  /^SELECT \* FROM service\b|^INSERT INTO service\b.* RETURNING \*$/s.test(sql);

/** The changes of the hosts' stores for some of these breaks. */
export const storeWithout: Partial<Record<Break, StoreBreak>> = {
  "last-good": {
    schema: `CREATE TRIGGER no_good AFTER INSERT ON install_pending
      BEGIN UPDATE install_pending SET good = NULL, good_hash = NULL WHERE path = NEW.path; END`,
  },
  journal: {
    schema:
      "CREATE TRIGGER no_debt AFTER INSERT ON install_pending BEGIN DELETE FROM install_pending WHERE path = NEW.path; END",
  },
  removals: { schema: "CREATE TRIGGER no_removal AFTER INSERT ON removal BEGIN DELETE FROM removal; END" },
  hold: { reads: (sql, row) => (givesFacts(sql) && row ? { ...row, held_by: null } : row) },
  "complete-first": {
    reads(sql, row) {
      if (!givesFacts(sql) || !row) return row;
      const followed = JSON.parse(String(row.followed));
      return { ...row, followed: JSON.stringify({ equal: followed.mark ?? beginning, ...followed }) };
    },
  },
  foreign: {
    reads: (sql, row) => (sql.startsWith("SELECT state, record FROM owned") ? { state: "ours", record: null } : row),
  },
};

const ruleOf: Partial<Record<Break, keyof FollowRules>> = {
  epoch: "epoch",
  "as-of": "asOf",
  duplicate: "duplicate",
  part: "late",
};

/** The rules of the hosts' readers without this safeguard. */
export function followRules(without: Break | undefined): FollowRules {
  const rule = without && ruleOf[without];
  return rule ? { ...allFollowRules, [rule]: false } : allFollowRules;
}
