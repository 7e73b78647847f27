import { readEntries } from "./directory.ts";
import { claimsOf, type Expected, expected } from "./expected.ts";
import type { Network } from "./network.ts";
import { type Served, served } from "./served.ts";
import type { Writer } from "./writer.ts";

/** The part of a service in `trigger status --json` that is checked. */
export interface Reported {
  readonly refused: readonly { readonly key: string }[];
  readonly removals?: { readonly digest: string; readonly rows: number };
}

/** Compares all served lines with the directory, entry by entry. Returns the differences; none if all is well. */
export async function compare(
  network: Network,
  writer: Writer,
  reported: (host: string, service: string) => Reported | undefined,
): Promise<string[]> {
  const wanted = expected(await readEntries(network.slapd), Date.now());
  const differences = served(network).map(async (one) => {
    const said = reported(one.host, one.service);
    const found = await one.lines().catch((error: Error) => [`? ${error.message}`]);
    const wrong = [...differ(one, wanted[one.service], found, writer), ...unsaid(wanted[one.service], said)];
    return wrong.map((what) => `${one.host} ${one.service}: ${what}`);
  });
  return (await Promise.all(differences)).flat();
}

/** The differences between the served lines and the expected ones. */
export function differ(
  { service }: Pick<Served, "service">,
  { lines, refused }: Expected,
  found: readonly string[],
  { hasBeen }: Pick<Writer, "hasBeen">,
): string[] {
  const there = new Set(found);
  const taken = new Set([...lines].flatMap((line) => claimsOf(service, line)));
  const extra = found.filter((line) => !lines.has(line));
  /** True if a refused entry's last good row may still be served: none of its claims is another row's. */
  const mayStand = (line: string): boolean =>
    refused.size > 0 && hasBeen(service, line) && !claimsOf(service, line).some((claim) => taken.has(claim));
  return [
    ...[...lines].filter((line) => !there.has(line)).map((line) => `missing: ${line}`),
    ...extra.filter((line) => !mayStand(line)).map((line) => `wrong: ${line}`),
    ...found.filter((line, at) => found.indexOf(line) !== at).map((line) => `twice: ${line}`),
  ];
}

/** The entries that the host lists as refused by mistake, and those that it fails to list. */
function unsaid({ refused }: Expected, said: Reported | undefined): string[] {
  const listed = new Set(said?.refused.map(({ key }) => key.split("/")[0] ?? ""));
  return [
    ...[...refused].filter((uuid) => !listed.has(uuid)).map((uuid) => `not listed as refused: ${uuid}`),
    ...[...listed].filter((uuid) => !refused.has(uuid)).map((uuid) => `listed as refused, and is not: ${uuid}`),
  ];
}
