import { test } from "node:test";
import { conformance, ldifEntries } from "trigger/testing";
import gate from "./gate.ts";

const entries = ldifEntries(new URL("../directory.ldif", import.meta.url));

test("the gate keeps the rules of a service", () => conformance(gate, { name: "gate", entries }));
