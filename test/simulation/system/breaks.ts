/** The safeguards that a simulation can take away, to show that it sees what each prevents: docs/design/simulation.md. */
export const breaks = {
  epoch: "messages of an older epoch are taken",
  "as-of": "messages of an older directory state are taken",
  duplicate: "rows up to the mark are taken again",
  part: "digests and parts from before the mark are taken",
  "unique-epoch": "every transcriber counts its epochs from 1",
  "spoken-refusal": "hosts refuse in silence, and report nothing",
  "in-band-digest": "no digest is said at an interval",
  complete: "half of a refresh that broke is taken for the whole",
  "in-doubt": "keys of a failed run are not kept in doubt",
  incarnation: "a restarted daemon is taken for the same one",
  check: "the check says yes to everything",
  "stage-sync": "staged files are not synced",
  "last-good": "no last good file is kept",
  journal: "installs are not written down before they begin",
  probe: "a reload that says well is believed",
  removals: "removals are not counted",
} as const;

export type Break = keyof typeof breaks;

/** SQL that takes a safeguard out of a host's store. */
export const schemaWithout: Partial<Record<Break, string>> = {
  "last-good": `CREATE TRIGGER no_good AFTER INSERT ON install_debt
    BEGIN UPDATE install_debt SET good = NULL, good_hash = NULL WHERE path = NEW.path; END`,
  journal:
    "CREATE TRIGGER no_debt AFTER INSERT ON install_debt BEGIN DELETE FROM install_debt WHERE path = NEW.path; END",
  removals: "CREATE TRIGGER no_removal AFTER INSERT ON removal BEGIN DELETE FROM removal; END",
};
