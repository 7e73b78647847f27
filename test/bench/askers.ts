import type { Table } from "../../src/core/service/service.ts";
import { service, z } from "../../src/index.ts";
import { transcription } from "../../src/transcriber/tables/transcription.ts";
import { figures } from "./figures.ts";
import { machineEntry, machines } from "./world.ts";

/** The cost of one more machine, in milliseconds, if `askers` machines ask for all of them, or claim one address. */
export function costOfOneMore(askers: number): { looks: number; claims: number } {
  return { looks: medianOf(askers, "looks"), claims: medianOf(askers, "claims") };
}

function medianOf(askers: number, what: "looks" | "claims"): number {
  const { table } = service({
    row: z.object({ ip: z.string() }),
    unique: ["ip"],
    select(entry, directory) {
      if (what === "claims") return { ip: "10.0.0.1" };
      return { ip: `${entry.name} of ${directory.where("objectClass", "ipHost").length}` };
    },
    async run() {},
  });
  const tables = transcription(new Map([["asks", table as Table]]), { timezone: "UTC" });
  tables.refresh(machines(askers), 0);
  const samples: number[] = [];
  for (let round = 0; round < 15; round++) {
    const start = performance.now();
    const { services } = tables.change([machineEntry(askers + round)], [], 0);
    samples.push(performance.now() - start);
    if ((services.get("asks")?.length ?? 0) < askers) throw new Error("not all of them were evaluated again");
  }
  return figures(samples.slice(5)).median;
}
