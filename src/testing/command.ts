/** The parts of the kit that `trigger test` loads. */

export { type ConformanceOptions, examine, sayVerdict } from "./conformance.ts";
export { ldifEntries } from "./ldif-entries.ts";
