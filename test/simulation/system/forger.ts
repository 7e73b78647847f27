import { createPrivateKey } from "node:crypto";
import { canonical } from "../../../src/core/stream/cells.ts";
import { protocolVersion } from "../../../src/core/stream/messages.ts";
import { hostKey, serviceKey } from "../../../src/core/stream/routing.ts";
import { type SigningKey, signed, signingKey, wrongSignature } from "../../../src/core/stream/signature.ts";
import { readFacts } from "../../../src/host/store/facts.ts";
import { rock, type ServiceName, serviceNames } from "./campus.ts";
import { pick, type Step } from "./step.ts";

/** An attacker with the right to publish, but without a key that hosts trust, who sends forged rows. */

/** The beginning of every secret key of Ed25519 in PKCS #8 (RFC 8410, 7); 32 bytes follow. */
const head = "302e020100300506032b657004220420";

/** A key that is always the same, so that a schedule replays exactly. */
const keyOf = (byte: number): SigningKey => {
  const key = Buffer.concat([Buffer.from(head, "hex"), Buffer.alloc(32, byte)]);
  return signingKey(createPrivateKey({ key, format: "der", type: "pkcs8" }));
};

/** The key of each transcriber. */
const trusted: Readonly<Record<string, SigningKey>> = { t1: keyOf(1), t2: keyOf(2) };
const stranger = keyOf(3);

export const signedBy = (transcriber: string, body: string): string => signed(body, trusted[transcriber]!);
export const distrust = (body: Uint8Array): string | undefined => wrongSignature(body, Object.values(trusted));

/** The name in a row that no trusted key has signed. */
export const forged = "forged";

const ip = "10.0.0.240";
/** Forged changes: a row that does not exist, and the removal of one that must stay. */
const forgedRows: Readonly<Record<ServiceName, readonly [key: string, row: string | null][]>> = {
  names: [
    ["m-forged", canonical({ name: forged, ip })],
    [rock.machine, null],
  ],
  addresses: [
    [`m-forged/${ip}`, canonical({ name: forged, ip })],
    [`${rock.machine}/${rock.ip}`, null],
  ],
};

export const forge: Step = (world) => {
  const { random, network, hosts, time, note } = world;
  const host = pick(world, hosts);
  const service = pick(world, serviceNames);
  const { mark } = readFacts(host.store.raw, service)?.followed ?? {};
  if (!mark) return;
  const key = random.chance(0.5) ? serviceKey(service) : hostKey(service, host.name);
  const what = pick(world, ["rows", "digest", "part", "tampered"] as const);
  const epoch = random.chance(0.5) ? mark.epoch : mark.epoch + 1 + random.below(1e6);
  const seq = mark.seq + random.below(2);
  const asOf = { state: mark.asOf.state, clock: time.now() };
  const place = { trigger: protocolVersion, service, epoch, asOf };
  const rows = [pick(world, forgedRows[service])];
  const whole = rows.filter(([, row]) => row !== null);
  const say = (body: string): void => network.say(key, body);
  const sign = random.chance(0.5) ? (body: string) => signed(body, stranger) : (body: string) => body;
  note(`a forger without a key publishes ${what} of ${service} under ${key}, in epoch ${epoch}`);
  if (what === "rows") say(sign(JSON.stringify({ ...place, kind: "rows", seq: seq + 1, rows, piece: 0, more: false })));
  if (what === "part") say(sign(JSON.stringify({ ...place, kind: "part", seq, from: 0, to: 2 ** 32, rows: whole })));
  if (what === "digest") say(sign(JSON.stringify({ ...place, kind: "digest", seq, root: "00", count: 7 })));
  // A signed message with another row in it.
  const said = network.said(service);
  if (what === "tampered" && said !== undefined) say(said.replace(/(\\"name\\":\\")[^\\]*/, `$1${forged}`));
};
