/**
 * The pending rows of a service, as a part of a statement: rows in doubt, and rows desired otherwise than applied that
 * nothing retains (the generated column `pending`, migrations/000003.sql). It names the index, because the planner would
 * read every row.
 */
export const pendingRows = "row INDEXED BY row_pending WHERE service = ? AND pending = 1";

/** The rows of a service whose desired row is not applied, with or without a last good row in its place. */
export const retainedRows = "row INDEXED BY row_retained WHERE service = ? AND retained_by IS NOT NULL";

/** The rows of a service that wait because a foreign thing is in their place. */
export const conflictRows = "row INDEXED BY row_conflict WHERE service = ? AND retained_by = 'conflict'";
