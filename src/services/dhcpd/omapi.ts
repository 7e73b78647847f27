import { z } from "zod";
import { Ipv4 } from "../../core/service/columns.ts";
import type { Command, Host } from "../../core/service/host-api.ts";
import type { Run, RunResult } from "../../core/service/service.ts";
import { converge, type Move } from "../records.ts";
import { command, path, type Schemas } from "../settings.ts";
import { type DeclaredHost, dynamicHosts } from "./host-declarations.ts";
import { type Answer, type Call, omshell } from "./omshell.ts";

/** The settings of OMAPI; `{}` for the usual ones. */
export interface OmapiOptions {
  /** The address at which dhcpd listens; 127.0.0.1 by default. */
  readonly server?: string;
  /** The port at which dhcpd listens (`omapi-port`); 7911 by default. */
  readonly port?: number;
  /** The file of the key that `omapi-key` names, which dhcpd.conf includes; `/etc/dhcp/omapi.key` by default. */
  readonly keyFile?: string;
  /** The file in which dhcpd keeps the hosts made over OMAPI, and which it reads when it starts; `/var/lib/dhcp/dhcpd.leases` by default. */
  readonly leases?: string;
  /** The program that speaks OMAPI; `omshell` by default. */
  readonly command?: Command;
}

export const omapiSettings = z.strictObject(
  {
    server: Ipv4.default("127.0.0.1"),
    port: z.int("is not a port").min(1).max(65535).default(7911),
    keyFile: path.default("/etc/dhcp/omapi.key"),
    leases: path.default("/var/lib/dhcp/dhcpd.leases"),
    command: command.default(["omshell"]),
  } satisfies Schemas<OmapiOptions>,
  "is not the settings of OMAPI, such as { port: 7911 }, or {} for the usual ones",
);
export type OmapiSettings = z.output<typeof omapiSettings>;

/** The host of a MAC address in dhcpd. */
type Fixed = { readonly name: string; readonly ip: string };

/** The number of hosts of the leases file that a full run asks for. They show that this dhcpd keeps that file. */
const sampleSize = 100;

/** Makes the hosts of a running dhcpd match the rows, over OMAPI. dhcpd itself keeps them in its leases file. */
export async function runOmapi(table: Run<DeclaredHost>, host: Host, settings: OmapiSettings): Promise<RunResult> {
  const ask = (calls: readonly Call[]) => omshell(host, settings, calls, { changes: false });
  const tell = (calls: readonly Call[]) => omshell(host, settings, calls, { changes: true });
  let asked = false;

  const { result } = await converge<DeclaredHost, Fixed>(table, host, {
    of: ({ mac, ip, name }) => [[mac, { ip, name }]],
    async look(names) {
      asked = true;
      if (!names) return fixedBy(await observeOmapi(host, settings));
      const macs = [...names];
      const answers = await ask(macs.map((mac) => ({ do: "look", mac })));
      const found = macs.flatMap((mac, index) => {
        const there = answers[index]?.found;
        return there ? [{ ...there, mac }] : [];
      });
      // A host that is only in the configuration cannot be changed over OMAPI: dhcpd refuses to create it.
      const made = found.length > 0 ? await journal(host, settings) : undefined;
      return fixedBy(found.filter(({ mac }) => made?.has(mac)));
    },
    write: async (moves) => {
      asked = true;
      return write(moves);
    },
  });
  if (!asked) await ask([]);
  return { ...result, serving: true };

  async function write(moves: readonly Move<Fixed>[]): Promise<ReadonlyMap<string, string>> {
    const first = await carryOut(moves, (move) => callsOf(move));
    // A host that another program changed meanwhile differs from `before`: a host of ours is created again.
    const again = first.filter(({ move: { before } }) => before);
    const made = again.length > 0 ? await journal(host, settings) : undefined;
    const second = await carryOut(
      again.map(({ move }) => move),
      ({ name: mac, after }, index) => {
        const there = again[index]?.there;
        const byHand = there && made?.get(mac)?.name === there.name ? there : undefined;
        return [...remove(mac, byHand), ...create(mac, after)];
      },
    );
    const wrong = [...first.filter(({ move: { before } }) => !before), ...second];
    if (wrong.length === 0) return new Map();
    // A refused row keeps its earlier record.
    const lost = wrong.filter(({ move: { before }, there }) => before && !there);
    if (lost.length > 0) await tell(lost.flatMap(({ move: { name, before } }) => create(name, before)));
    return explain(wrong);
  }

  /**
   * Sends dhcpd the calls of each move, removals before the others, then reads the result: returns the moves that failed.
   */
  async function carryOut(
    moves: readonly Move<Fixed>[],
    callsOf: (move: Move<Fixed>, index: number) => readonly Call[],
  ): Promise<Failed[]> {
    if (moves.length === 0) return [];
    const calls = moves.flatMap((move, index) => callsOf(move, index).map((call) => ({ call, move })));
    calls.sort((a, b) => Number(a.call.do !== "remove") - Number(b.call.do !== "remove"));
    const looks = moves.map(({ name }) => ({ do: "look", mac: name }) as const);
    const answers = await tell([...calls.map(({ call }) => call), ...looks]);
    const said = new Map<Move<Fixed>, string>();
    for (const [index, { move }] of calls.entries()) {
      const wrong = answers[index]?.wrong;
      if (wrong) said.set(move, wrong);
    }
    return moves.flatMap((move, index): Failed[] => {
      const answer = answers[calls.length + index];
      if (!answer || isApplied(move, answer)) return [];
      return [{ move, there: answer.found, said: said.get(move) ?? "nothing" }];
    });
  }

  async function explain(failed: readonly Failed[]): Promise<Map<string, string>> {
    const made = await journal(host, settings);
    const names = await ask(failed.map(({ move: { after } }) => ({ do: "look up", name: after?.name ?? "-" })));
    const why = ({ there, said }: Failed, index: number): string => {
      const other = there ?? names[index]?.found;
      if (!other) return `dhcpd says: ${said}`;
      const where = made.has(other.mac)
        ? ""
        : `, which is not in ${settings.leases}: take it out of dhcpd's configuration`;
      return `dhcpd says: ${said}: it has host ${other.name} with ${other.mac} and ${other.ip || "no address"}${where}`;
    };
    return new Map(failed.map((one, index) => [one.move.name, why(one, index)]));
  }
}

/** A move that failed: the record that its MAC address has instead, and dhcpd's message. */
interface Failed {
  readonly move: Move<Fixed>;
  readonly there: DeclaredHost | undefined;
  readonly said: string;
}

/** The hosts made over OMAPI, from the leases file; a sample is asked for over OMAPI. */
export async function observeOmapi(host: Host, settings: OmapiSettings): Promise<DeclaredHost[]> {
  const hosts = [...(await journal(host, settings)).values()];
  const step = Math.max(1, Math.floor(hosts.length / sampleSize));
  const sample = hosts.filter((_, index) => index % step === 0).slice(0, sampleSize);
  const calls = sample.map(({ mac }) => ({ do: "look", mac }) as const);
  const answers = await omshell(host, settings, calls, { changes: false });
  if (sample.length > 0 && answers.every((answer, index) => answer?.found?.name !== sample[index]?.name)) {
    throw new Error(`dhcpd has none of the hosts in ${settings.leases}: it keeps another leases file (option leases)`);
  }
  return hosts;
}

async function journal({ files }: Host, { leases }: OmapiSettings): Promise<Map<string, DeclaredHost>> {
  const bytes = await files.read(leases);
  return dynamicHosts(bytes ? new TextDecoder().decode(bytes) : "");
}

const fixedBy = (hosts: readonly DeclaredHost[]): Map<string, Fixed> =>
  new Map(hosts.map(({ mac, ip, name }) => [mac, { ip, name }]));

/** The calls of a move. OMAPI cannot rename a host: it is removed and created again. */
function callsOf({ name: mac, before, after }: Move<Fixed>): Call[] {
  if (before && after && before.name === after.name) return [{ do: "move", mac, ...after }];
  return [...remove(mac, before), ...create(mac, after)];
}

/** True if a name is free of text that omshell would read as commands: an adopted record may have any name. */
const plain = (name: string): boolean => /^[A-Za-z0-9._-]+$/.test(name);

const remove = (mac: string, host: Fixed | undefined): Call[] =>
  host && plain(host.name) ? [{ do: "remove", mac, name: host.name }] : [];

const create = (mac: string, host: Fixed | undefined): Call[] =>
  host && plain(host.name) && Ipv4.safeParse(host.ip).success
    ? [{ do: "create", mac, ip: host.ip, name: host.name }]
    : [];

const isApplied = ({ before, after }: Move<Fixed>, { found }: Answer): boolean =>
  after ? found?.name === after.name && found.ip === after.ip : !found || found.name !== before?.name;
