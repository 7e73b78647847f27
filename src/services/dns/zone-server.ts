import type { Asked, AskOptions, Host, Output } from "../../core/service/host-api.ts";
import { canonical } from "../../core/stream/cells.ts";
import { Away, CommandFailed } from "../../core/util/errors.ts";
import { type Answer, readAnswers, serialOf } from "./zone-answers.ts";
import type { DnsRecord, Layout, NameRecords } from "./zone-records.ts";
import { refusal, remedy } from "./zone-remedies.ts";
import { type UpdateMessage, updateText } from "./zone-update.ts";

export interface ServerOptions {
  readonly server: string;
  readonly port: number;
  /** The TSIG key: its file, and its name there. */
  readonly key: { readonly path: string; readonly name: string };
  /** Seconds that one question or message may take. */
  readonly timeout: number;
}

/** The primary server of zones, through dig and nsupdate. */
export interface ZoneServer {
  /**
   * The records under these names; without names all records, by transfers of the zones. Records in `expected` need
   * no second look.
   */
  look(names?: ReadonlySet<string>, expected?: ReadonlyMap<string, NameRecords>): Promise<Map<string, NameRecords>>;
  /** Sends messages; returns the status of each, none on a dry machine. */
  update(messages: readonly UpdateMessage[]): Promise<readonly string[]>;
  /** Throws an error with the remedy if the server takes no update of a zone with this key at all. */
  requireOpen(zone: string): Promise<void>;
  /** The message about a single name that the server refuses. */
  refusal(status: string, zone: string): string;
  /** The serial with which each zone was last seen. */
  readonly serials: ReadonlyMap<string, number>;
}

/** The most names that are asked for one by one: for more, the zone is transferred. */
const manyNames = 500;
/** The deadline of a transfer, in milliseconds; one that stalls ends after the timeout. */
const transferDeadline = 120_000;
/** The messages of dig and nsupdate for a server that cannot be reached, hangs or ends in the middle. */
const silence =
  /^.*(no servers could be reached|communications error|Communication with .* failed|Connection to .* failed).*$/m;
/** The most messages of one nsupdate, so that a server that hangs is noticed soon. */
const messagesAtOnce = 4;

export function zoneServer({ server, port, key, timeout }: ServerOptions, layout: Layout, host: Host): ZoneServer {
  const serials = new Map<string, number>();
  const deadline = 2 * timeout * 1000;
  const dig = ["dig", "-r", `@${server}`, "-p", `${port}`, "-k", key.path, "+tcp", "+keepopen", "+norecurse"] as const;
  const shown = ["+noall", "+comments", "+question", "+answer", "+additional", `+time=${timeout}`, "+tries=1"] as const;

  const nsupdate = ["nsupdate", "-v", "-k", key.path, "-t", `${timeout}`] as const;

  /** The output of a program with any exit code; throws `Away` if the server does not answer. */
  async function said(run: typeof host.ask, command: Asked, options: AskOptions): Promise<Omit<Output, "code">> {
    let output: Omit<Output, "code">;
    try {
      output = await run(command, { deadline, ...options });
    } catch (error) {
      if (host.signal.aborted) throw error;
      if (!(error instanceof CommandFailed)) throw new Away(`${server} port ${port} does not answer`, { cause: error });
      // nsupdate ends with 2 when a message was not taken, dig with 9 when no server answers.
      if (error.code !== 2 && error.code !== 9) throw error;
      output = error;
    }
    const silent = silence.exec(output.stderr)?.[0] ?? silence.exec(output.stdout.slice(-1000))?.[0];
    if (silent !== undefined) throw new Away(`${server} port ${port} does not answer: ${silent.replace(/^[; ]+/, "")}`);
    if (/could(n't| not) read key/i.test(output.stderr)) throw new Error(`the key file ${key.path} cannot be read`);
    return output;
  }

  const requireWell = ({ status, key: wrong }: Answer, zone: string, asked: "query" | "transfer"): void => {
    if (status === "NOERROR" || status === "NXDOMAIN") return;
    throw remedy({ status: wrong ?? status, zone, server, key, asked });
  };

  async function transfer(zone: string): Promise<DnsRecord[]> {
    const { stdout } = await said(host.ask, [...dig, ...shown, "AXFR", `${zone}.`], { deadline: transferDeadline });
    const answers = readAnswers(stdout);
    for (const answer of answers) requireWell(answer, zone, "transfer");
    const records = answers.flatMap(({ records }) => records);
    // A transfer begins and ends with the start of authority (RFC 5936, 2.2).
    if (records.length < 2 || records.at(0)?.type !== "SOA" || records.at(-1)?.type !== "SOA") {
      throw new Away(`${server}: the transfer of ${zone} broke off after ${records.length} records`);
    }
    serials.set(zone, serialOf(records, zone) ?? 0);
    return records;
  }

  async function questions(zones: Iterable<string>, names: Iterable<string>): Promise<DnsRecord[]> {
    const starts = [...zones].map((zone) => `${zone}. SOA`);
    const sets = [...names].flatMap((name) => askedTypes(layout.typesAt(name)).map((type) => `${name}. ${type}`));
    const input = [...starts, ...sets].map((question) => `${question}\n`).join("");
    const { stdout } = await said(host.ask, [...dig, ...shown, "-f", "-"], { input });
    const answers = readAnswers(stdout);
    for (const answer of answers) requireWell(answer, layout.zoneOf(answer.name) ?? answer.name, "query");
    if (answers.length !== starts.length + sets.length) {
      throw new Away(`${server}: ${starts.length + sets.length} questions had ${answers.length} answers`);
    }
    const records = answers.flatMap(({ records }) => records);
    for (const zone of zones) {
      const serial = serialOf(records, zone);
      if (serial === undefined) throw remedy({ status: "NOTAUTH", zone, server, key, asked: "query" });
      serials.set(zone, serial);
    }
    return records;
  }

  async function ask(names: ReadonlySet<string>, expected: ReadonlyMap<string, NameRecords>): Promise<DnsRecord[]> {
    const zones = new Set([...names].flatMap((name) => layout.zoneOf(name) ?? []));
    const records = await questions(zones, names);
    // A wildcard answers for names that do not exist: only a transfer tells them apart.
    const found = [...only(names, layout.byName(records))];
    const unexpected = found.filter(([name, has]) => canonical(has) !== canonical(expected.get(name) ?? null));
    const wild = new Set(unexpected.flatMap(([name]) => wildcardsAbove(name, layout.zoneOf(name) ?? name)));
    const answered = wild.size === 0 ? [] : await questions([], wild);
    const spoilt = new Set(answered.flatMap(({ name }) => (wild.has(name) ? (layout.zoneOf(name) ?? []) : [])));
    const clean = records.filter(({ name }) => !spoilt.has(layout.zoneOf(name) ?? ""));
    for (const zone of spoilt) clean.push(...(await transfer(zone)));
    return clean;
  }

  async function update(messages: readonly UpdateMessage[]): Promise<string[]> {
    const statuses: string[] = [];
    for (let from = 0; from < messages.length; from += messagesAtOnce) {
      const some = messages.slice(from, from + messagesAtOnce);
      const input = `server ${server} ${port}\n${updateText(some, layout)}`;
      const { stdout, stderr } = await said(host.tell, nsupdate, { input });
      if (stdout === "" && stderr === "") return []; // a dry machine gives no output
      const answers = readAnswers(stdout);
      if (answers.length !== some.length) throw new Error(`nsupdate: ${(stderr || stdout).trim().slice(0, 1000)}`);
      for (const [index, { status, key: wrong }] of answers.entries()) {
        const zone = some[index]?.zone ?? "";
        if (status === "NOTAUTH" || status === "SERVFAIL") {
          throw remedy({ status: wrong ?? status, zone, server, key, asked: "update" });
        }
        statuses.push(status);
      }
    }
    return statuses;
  }

  return {
    serials,
    update,
    async requireOpen(zone) {
      // The server judges a message without changes only by its sender.
      const [status = "NOERROR"] = await update([{ zone, moves: [] }]);
      if (status !== "NOERROR") throw remedy({ status, zone, server, key, asked: "update" });
    },
    refusal: (status, zone) => refusal(status, zone, key.name),
    async look(names, expected = new Map()) {
      if (names?.size === 0) return new Map();
      if (names && names.size <= manyNames) return only(names, layout.byName(await ask(names, expected)));
      // A server that cannot serve one of the zones yet is detected before the others are transferred.
      await questions(layout.zones, []);
      const records: DnsRecord[] = [];
      for (const zone of layout.zones) {
        for (const record of await transfer(zone)) records.push(record);
      }
      return only(names, layout.byName(records));
    },
  };
}

/** An answer for any type has the CNAME, if there is one. */
const askedTypes = (types: readonly string[]): readonly string[] => types.filter((type) => type !== "CNAME");

const only = (names: ReadonlySet<string> | undefined, found: Map<string, NameRecords>): Map<string, NameRecords> =>
  names ? new Map([...found].filter(([name]) => names.has(name))) : found;

/** The wildcards of a zone that could answer for a name: `*.wifi.campus.example`, `*.campus.example`. */
function wildcardsAbove(name: string, zone: string): string[] {
  const found: string[] = [];
  for (let rest = name; rest.length > zone.length; ) {
    rest = rest.slice(rest.indexOf(".") + 1);
    found.push(`*.${rest}`);
  }
  return found;
}
