import { test } from "node:test";
import { realMachine } from "../../../src/machines/real.ts";
import type { Machine } from "../../../src/ports/machine.ts";
import { bind } from "../../../src/services/bind.ts";
import { type NamedOptions, startNamed } from "../../servers/named.ts";
import { sceneOn } from "../../services/scene.ts";

// Dynamic updates on a real BIND, seen by dig. `scripts/setup.sh test` installs both.

export const zone = "campus.example";
export const reverse4 = "0.10.in-addr.arpa";
export const reverse6 = "1.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa";
/** The foreign records of the forward zone. */
export const own = ["ns1 A 10.0.0.2", "@ MX 10 mail", "mail A 10.0.0.3", "www CNAME mail", 'pc7 TXT "not ours"'];
const zones: NamedOptions["zones"] = { [zone]: { records: own }, [reverse4]: {}, [reverse6]: {} };

/** The server for the tests of a file. */
export const named = await startNamed({ zones });
test.after(() => named[Symbol.asyncDispose]());

const common = { zone, reverse: ["10.0.0.0/16", "2001:db8:1::/48"], daemon: false as const, timeout: 1 };

/** The service in front of a server. */
export function onServer(options: object = {}, machine: Machine = realMachine(), { port, key } = named) {
  const service = bind({ ...common, port, key, ...options });
  return { service, ...sceneOn(service, machine) };
}

/** The service in front of the file's server, whose zones are reset first. */
export async function fresh(options: object = {}, machine?: Machine) {
  await named.reset();
  return onServer(options, machine);
}

export const pc7 = { name: "pc7", ips: ["10.0.0.7", "2001:db8:1::7"] };
export const pc8 = { name: "pc8", ips: ["10.0.0.8"] };
export const well = { refused: [], held: [], serving: true };

/** The addresses that the server has for a name. */
export const addresses = async (name: string) => [
  ...(await named.dig(`${name}.${zone}`, "A")),
  ...(await named.dig(`${name}.${zone}`, "AAAA")),
];
export const pointer = (last: number) => named.dig(`${last}.0.0.10.in-addr.arpa`, "PTR");
export const serials = () => Promise.all([zone, reverse4, reverse6].map(named.serial));
