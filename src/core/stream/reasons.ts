/** The reasons for which a desired row is not applied. The last good row, if there is one, is retained. */
export const retainedBy = ["directory", "version", "check", "daemon", "conflict", "removals"] as const;
export type RetainedBy = (typeof retainedBy)[number];

/** The causes of a service's hold: a person, or a conflict with a file or record that trigger did not write. */
export const heldBy = ["person", "conflict"] as const;
export type HeldBy = (typeof heldBy)[number];
