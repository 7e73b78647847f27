/**
 * The pending rows of a service, as a part of a statement. It names the index, because the planner would read every
 * row.
 */
export const pendingRows = "row INDEXED BY row_pending WHERE service = ? AND pending = 1";

/** The rows of a service whose applied row is retained. */
export const retainedRows = "row INDEXED BY row_retained WHERE service = ? AND retained_by IS NOT NULL";

/** The rows of a service that wait because a foreign thing is in their place. */
export const conflictRows = "row INDEXED BY row_conflict WHERE service = ? AND retained_by = 'conflict'";
