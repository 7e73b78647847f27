import { setTimeout as sleep } from "node:timers/promises";
import type { Host } from "../../core/service/host-api.ts";
import { CommandFailed } from "../../core/util/errors.ts";
import { serialIn } from "./zone-serial.ts";
import type { Zone } from "./zone-text.ts";

/**
 * The number of questions after a reload, and the interval between them in milliseconds. BIND answers a reload before it has
 * loaded the zone.
 */
const attempts = 20;
const interval = 500;
/** dig's exit code when no server answers, as while it starts. */
const noReply = 9;

/** A probe that asks a server for the serial of each zone, until it equals the serial of the installed file. */
export function probeSerials(zones: readonly Zone[], { server, port }: { server: string; port: number }) {
  return async (host: Host): Promise<void> => {
    for (const { name, path } of zones) {
      const bytes = await host.files.read(path);
      const expected = bytes && serialIn(new TextDecoder().decode(bytes));
      let served: number | undefined;
      for (let attempt = 1; ; attempt++) {
        served = await servedSerial(host, server, port, name);
        if (served === expected) break;
        if (attempt === attempts) {
          throw new Error(`${name}: ${path} has serial ${expected}, ${server} serves ${served ?? "none"}`);
        }
        await sleep(interval, undefined, { signal: host.signal });
      }
    }
  };
}

async function servedSerial(host: Host, server: string, port: number, zone: string): Promise<number | undefined> {
  try {
    const dig = await host.ask([
      "dig",
      "+short",
      "+time=2",
      "+tries=1",
      `@${server}`,
      "-p",
      `${port}`,
      "SOA",
      `${zone}.`,
    ]);
    const serial = dig.stdout.trim().split(/\s+/)[2];
    return serial === undefined ? undefined : Number(serial);
  } catch (error) {
    if (error instanceof CommandFailed && error.code === noReply) return undefined;
    throw error;
  }
}
