import { sqliteBroker } from "../../src/brokers/sqlite/broker.ts";
import { systemClock } from "../../src/daemon/clock.ts";
import { eventDirectory } from "../../src/directories/events/source.ts";
import { openDatabase } from "../../src/sqlite/open.ts";
import { transcribe } from "../../src/transcriber/transcriber.ts";

/** A transcriber that dies by kill -9 when events are stored and not yet acknowledged. */

const [brokerFile = "", directoryFile = ""] = process.argv.slice(2);
const directory = eventDirectory({ database: openDatabase(directoryFile), clock: systemClock });
const deadly = {
  ...directory,
  async take(...given: Parameters<typeof directory.take>): Promise<void> {
    await directory.take(...given);
    process.kill(process.pid, "SIGKILL");
    await new Promise(() => {});
  },
};
await transcribe({
  ...{ host: "civet", source: directory, events: deadly, services: new Map(), codes: new Map() },
  config: { timezone: "UTC", hosts: new Map([["civet", ["event"]]]) },
  ...{ broker: await sqliteBroker(brokerFile, { log: () => {} }), clock: systemClock, random: Math.random },
  ...{ log: () => {}, onReport: () => {}, signal: new AbortController().signal },
}).done;
