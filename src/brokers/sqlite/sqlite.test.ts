import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brokerContract } from "../../../test/contracts/broker.ts";
import { sqliteBroker } from "./broker.ts";

/** The polling interval, so long that the tests rely on the wake-ups. */
const never = 2 ** 30;

brokerContract("sqlite", async () => {
  const directory = mkdtempSync(join(tmpdir(), "trigger-broker-"));
  return {
    connect: () => sqliteBroker(join(directory, "broker.sqlite"), { log: () => {}, checkEvery: never }),
    [Symbol.asyncDispose]: async () => rmSync(directory, { recursive: true }),
  };
});
