import { generateKeyPairSync } from "node:crypto";
import { canonical } from "../../src/core/stream/cells.ts";
import { signed, signingKey, wrongSignature } from "../../src/core/stream/signature.ts";
import { figures } from "./figures.ts";
import { machineEntry, openWorld } from "./world.ts";

/** `node test/bench/signing.ts`: what it costs that rows are signed, beside the same without, in one run. */

const out = (line: string): void => void process.stdout.write(`${line}\n`);
const key = signingKey(generateKeyPairSync("ed25519").privateKey);

out("Microseconds a message.               bytes     made   signed    read  verified");
for (const [what, rows] of [
  ["one row", 1],
  ["a part of 500 rows", 500],
] as const) {
  const asOf = { state: ["20261122102000.000000Z#000000#001#000000"], clock: 1 };
  const head = { trigger: 1, service: "dhcp", epoch: 1, seq: 1, asOf, kind: "rows", piece: 0, more: false };
  const message = { ...head, rows: Array.from({ length: rows }, (_, n) => [machineEntry(n).uuid, rowOf(n)]) };
  const body = JSON.stringify(message);
  const whole = Buffer.from(signed(body, key));
  const times = [
    micros(() => JSON.stringify(message)),
    micros(() => signed(body, key)),
    micros(() => JSON.parse(whole.toString("utf8"))),
    micros(() => wrongSignature(whole, [key])),
  ];
  out(`${what.padEnd(36)} ${[whole.length, ...times].map((n) => n.toFixed(0).padStart(7)).join("  ")}`);
}

out(
  "\nMilliseconds from the directory's word of a change until it is applied, live service; by turns, so that both meet the same machine.",
);
await using plain = await openWorld(1_000);
await using withKeys = await openWorld(1_000, { keys: [key] });
const times: Record<"plain" | "signed", number[]> = { plain: [], signed: [] };
for (let round = 1; round <= 400; round++) {
  times.plain.push(await changeToApplied(plain, round));
  times.signed.push(await changeToApplied(withKeys, round));
}
const [without, signing] = [figures(times.plain.slice(20)).median, figures(times.signed.slice(20)).median];
out(`plain ${without.toFixed(2)}, signed ${signing.toFixed(2)}: ${(signing / without).toFixed(2)} ×`);

function rowOf(n: number): string {
  return canonical({ name: `m${n}`, mac: "02:00:00:00:00:01", ip: "10.0.0.1" });
}

function micros(work: () => unknown): number {
  const samples: number[] = [];
  for (let round = 0; round < 600; round++) {
    const start = performance.now();
    work();
    if (round >= 100) samples.push((performance.now() - start) * 1_000);
  }
  return figures(samples).median;
}

async function changeToApplied(world: Awaited<ReturnType<typeof openWorld>>, round: number): Promise<number> {
  await world.settled();
  const { runs } = world.watch;
  const start = performance.now();
  world.directory.put(machineEntry(round, round));
  await world.ran(runs + 1);
  return performance.now() - start;
}
