import fc from "fast-check";
import { runs } from "./hostile.ts";

// Loaded before the tests of the fast lane: a property that says no number of runs has as many as TRIGGER_FUZZ leaves of fast-check's 100.
fc.configureGlobal({ ...fc.readConfigureGlobal(), numRuns: runs(100) });
