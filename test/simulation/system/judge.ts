import type { Followed } from "../../../src/core/stream/host-end.ts";
import { type Mark, olderState } from "../../../src/core/stream/messages.ts";
import { hostKey } from "../../../src/core/stream/routing.ts";
import { folderOf } from "../../../src/host/install/target.ts";
import { serviceReport } from "../../../src/host/report/report.ts";
import { readFacts } from "../../../src/host/store/facts.ts";
import { hostStore } from "../../../src/host/store/host-store.ts";
import { Violation } from "../violation.ts";
import { type Expected, expected, rock, type ServiceName, serviceNames } from "./campus.ts";
import type { WorldDirectory } from "./directory.ts";
import { forged } from "./forger.ts";
import { file, isBad, isWhole } from "./machine.ts";
import { isOfOthers } from "./others.ts";
import type { RolledBack } from "./overheard.ts";
import { lineOf, linesServed, storedRows } from "./served.ts";
import type { HostProcess } from "./world.ts";

/** Checks the promises in the world and reports those that are broken. */
export interface Judge {
  /** Called with each text of a host's file. */
  seeText(host: string, text: string | undefined): void;
  /** Called with each text that `named` of a host runs. */
  seeRunning(host: HostProcess, text: string): void;
  /** Called when a person approves the removals of a host's names under the digest that was shown. */
  saysApproved(host: string, digest: string): void;
  /** Called when the host receives an approval. */
  approved(host: HostProcess): void;
  /** Called after each commit of a host. */
  seeStored(host: HostProcess): void;
  /** Checks the promises that hold at all times. */
  look(): void;
  /** The first difference from the state that must hold in the end; undefined if none. */
  unsettled(): string | undefined;
  /** The first leftover that must be gone in the end; undefined if none. */
  beyond(): Promise<string | undefined>;
  /** Called when a host's store is replaced. */
  forget(host: string): void;
  /** A violation seen at a moment at which nothing could be thrown; the caller throws it. */
  readonly seen: Violation | undefined;
}

export interface JudgeOptions {
  readonly hosts: readonly HostProcess[];
  readonly directory: WorldDirectory;
  readonly removalLimit: number;
  /** The epochs that said that the directory was rolled back. */
  readonly rolledBack: readonly RolledBack[];
  /** True if a refused row is removed. */
  readonly removes: boolean;
}

const hour = 60 * 60_000;

export function judge({ hosts, directory, removalLimit, rolledBack, removes }: JudgeOptions): Judge {
  const marks = new Map<string, Mark & { readonly stored: string }>();
  const texts = new Map<string, string | undefined>();
  /** The text that `named` of each host was last seen to run. */
  const ran = new Map<string, string>();
  /** The hosts whose daemon has had the row that is never changed. */
  const served = new Set<string>();
  const known = new Map<string, Map<string, string>>();
  const removals = new Map<string, { readonly at: number; readonly line: string }[]>();
  /** The digests that persons have approved; `mayGo` has the lines that may be removed since, by host. */
  const digests = new Set<string>();
  const mayGo = new Set<string>();
  let seen: Violation | undefined;

  function seeText(host: string, text: string | undefined): void {
    const before = texts.get(host);
    if (text === before) return;
    texts.set(host, text);
    const broken = (promise: string, detail: string): void => {
      seen ??= new Violation(promise, `${host}: ${detail}`);
    };
    // A file that was never applied may be removed again: there is no good text to retain.
    const wasApplied = (): boolean =>
      hosts.some(
        ({ name, store }) =>
          name === host &&
          store.raw.prepare("SELECT 1 FROM install_path WHERE applied IS NOT NULL").get() !== undefined,
      );
    if (text === undefined && !wasApplied()) return;
    if (text === undefined) broken("P2", `its file is gone; it was ${JSON.stringify(before)}`);
    else if (!isWhole(text)) broken("P2", `half a file stands in place: ${JSON.stringify(text)}`);
    else if (text.includes(` ${forged}`)) broken("P1", "an unsigned row is in its file");
    else if (isBad(text)) broken("P2", `a text that fails its check stands in place: ${JSON.stringify(text)}`);
    // A text that no daemon ever applied may be removed again: the text that was found there returns.
    else if (served.has(host) && !text.includes(rock.name))
      broken("P1", "a row that was never touched has gone from its file");
  }

  /** The key of each line ever seen in a host's file. */
  function keysOf({ name, store }: HostProcess): ReadonlyMap<string, string> {
    const keys = known.get(name) ?? new Map<string, string>();
    known.set(name, keys);
    const rows = store.raw.prepare("SELECT key, desired, applied, tried FROM row WHERE service = 'names'").all();
    for (const { key, ...texts } of rows) {
      for (const text of Object.values(texts)) {
        if (typeof text !== "string" || text.startsWith("!")) continue;
        const { ip, name } = JSON.parse(text);
        keys.set(`${ip} ${name}`, String(key));
      }
    }
    return keys;
  }

  function countRemovals(of: HostProcess, before: string | undefined, after: string): void {
    const host = of.name;
    const keys = keysOf(of);
    const current = new Set(storedRows(of, "names").map(({ applied }) => applied && lineOf(applied)));
    const lines = (text: string | undefined): string[] =>
      text?.split("\n").filter((line) => /^\d/.test(line) && !isOfOthers(line)) ?? [];
    const [stood, stands] = [new Set(lines(before)), new Set(lines(after))];
    const words = new Set([...stands].flatMap((line) => line.split(" ")));
    const there = new Set([...stands].map((line) => keys.get(line)));
    // No host counts the removals of an interrupted run if the lines return before a ledger records them.
    const isBack = (line: string): boolean => current.has(line) && !stood.has(line) && stands.has(line);
    const gone = (removals.get(host) ?? []).filter(({ line }) => !isBack(line));
    removals.set(host, gone);
    for (const line of stood) {
      // The line was there only during an interrupted run: no ledger has ever recorded it as applied.
      if (!current.has(line) || mayGo.has(`${host} ${line}`)) continue;
      // A line is not removed if another row has its name or address: it has changed, or made room.
      if (there.has(keys.get(line) ?? line) || line.split(" ").some((word) => words.has(word))) continue;
      gone.push({ at: of.countsBy(), line });
    }
    // Lines that go and come back are not counted by a host whose run was interrupted in between.
    const within = new Set(gone.filter(({ at }) => at > of.countsBy() - hour).map(({ line }) => line));
    for (const line of stands) within.delete(line);
    if (within.size > removalLimit) {
      seen ??= new Violation("P7", `${host}: ${within.size} rows went within an hour, at most ${removalLimit} may`);
    }
  }

  function lookAtMark(host: HostProcess, service: ServiceName): void {
    const place = `${host.name} ${service}`;
    const stored = followedOf(host, service);
    const before = marks.get(place);
    if (stored === undefined || stored === before?.stored) return;
    const { mark }: Followed = JSON.parse(stored);
    if (!mark) return;
    marks.set(place, { ...mark, stored });
    if (!before) return;
    if (mark.epoch < before.epoch || (mark.epoch === before.epoch && mark.seq < before.seq)) {
      throw new Violation("P4", `${place}: (${mark.epoch}, ${mark.seq}) after (${before.epoch}, ${before.seq})`);
    }
    // The host is told alone, and may already be at a later epoch that is meant for all.
    const said = rolledBack.filter(({ epoch }) => epoch > before.epoch && epoch <= mark.epoch);
    const meant = said.some(({ key }) => key === hostKey(service, host.name));
    if (olderState(mark.asOf.state, before.asOf.state) && !meant) {
      throw new Violation("P4", `${place}: state ${mark.asOf.state} after ${before.asOf.state}`);
    }
  }

  function wrong(host: HostProcess, service: ServiceName): string | undefined {
    const facts = readFacts(host.store.raw, service);
    const { mark, equal, doubt } = facts?.followed ?? {};
    if (!facts || !mark || !equal) return "was never compared";
    if (doubt) return "is in doubt of its table";
    if (facts.held !== undefined) return `is held: ${facts.held}`;
    if (facts.failing !== undefined) return `fails: ${facts.failing}`;
    if (facts.full > 0) return "owes a full run";
    if (olderState(equal.asOf.state, directory.state) || olderState(directory.state, equal.asOf.state))
      return `was equal as of ${equal.asOf.state}, not of ${directory.state}`;
    const wanted = expected(directory.campus, service, mark.asOf.clock);
    const served = servedBy(host, service);
    const stored = new Map(storedRows(host, service).map((row) => [row.key, row]));
    for (const key of new Set([...wanted.keys(), ...stored.keys()])) {
      const { by = null, detail, applied = null, desired = null, doubt = 0 } = stored.get(key) ?? {};
      const want = wanted.get(key);
      if (doubt) return `${key} is in doubt`;
      if (want?.isRefused ? !desired?.startsWith("!") : desired !== (want?.row ?? null))
        return `${key} should be ${JSON.stringify(want)}, and is ${desired}`;
      // Records that a lost store had written are foreign to the store that replaced it.
      const isForeign = service === "addresses" && host.store.lost && by === "conflict";
      const retained = `${key} is retained by ${by}: ${detail}`;
      if (by !== null && !isForeign && by !== "directory" && by !== "removals") return retained;
      if (!want?.isRefused && by === "directory" && !isCovered(key, wanted)) return retained;
      // Another entry's claim removes no row that is still its entry's.
      if (removes && by === "directory" && applied !== null && applied !== want?.row)
        return `${key} is refused, and stays applied`;
      const right = by === null ? (want?.isRefused ? null : (want?.row ?? null)) : applied;
      if (served.take(right)) continue;
      return `${key} should be served as ${right}${by === null ? "" : ` (${by}: ${detail})`}`;
    }
    const own =
      service === "addresses" && host.store.lost
        ? hostStore(host.store.raw).service(service).records.names()
        : undefined;
    return served.rest(own);
  }

  function seeStored(host: HostProcess): void {
    try {
      for (const service of serviceNames) lookAtMark(host, service);
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
      seen ??= error;
    }
  }

  return {
    seeText,
    seeRunning(host, text) {
      const before = ran.get(host.name);
      ran.set(host.name, text);
      if (text.includes(rock.name)) served.add(host.name);
      if (text !== before) countRemovals(host, before, text);
    },
    saysApproved: (host, digest) => void digests.add(`${host} ${digest}`),
    approved(host) {
      const held = hostStore(host.store.raw).service("names").removals.held();
      if (!held || !digests.has(`${host.name} ${held.digest}`)) return;
      const keys = new Set(held.keys);
      for (const { key, applied } of storedRows(host, "names"))
        if (applied !== null && keys.has(key)) mayGo.add(`${host.name} ${lineOf(applied)}`);
    },
    seeStored,
    look() {
      if (seen) throw seen;
      for (const { name, machine } of hosts)
        if ([...machine.records.values()].includes(forged))
          throw new Violation("P1", `${name}: an unsigned record is applied`);
      for (const host of hosts) for (const service of serviceNames) lookAtMark(host, service);
    },
    unsettled() {
      for (const host of hosts) {
        if (host.machine.running !== host.machine.raw.text(file)) return `${host.name}: named does not run its file`;
        for (const service of serviceNames) {
          const why = wrong(host, service);
          if (why) return `${host.name} ${service}: ${why}`;
          const { pending, reloads } = serviceReport(hostStore(host.store.raw).service(service));
          if (pending > 0 || reloads.length > 0)
            return `${host.name} ${service}: owes ${pending} rows, reloads ${reloads}`;
        }
      }
      return undefined;
    },
    async beyond() {
      for (const host of hosts) {
        const why = await leftBehind(host);
        if (why) return `${host.name}: ${why}`;
      }
      return undefined;
    },
    forget(host) {
      for (const service of serviceNames) marks.delete(`${host} ${service}`);
      // The removals of the last hour and the applied rows were recorded in the old store.
      removals.delete(host);
      ran.delete(host);
    },
    get seen() {
      return seen;
    },
  };
}

/** The first leftover in the store or beside the file that nothing needs any more; undefined if none. */
async function leftBehind({ store, machine }: HostProcess): Promise<string | undefined> {
  const count = (from: string): number => Number(store.raw.prepare(`SELECT count(*) AS n FROM ${from}`).get()?.n);
  const empty = count("row WHERE desired IS NULL AND applied IS NULL AND doubt = 0");
  if (empty > 0) return `${empty} rows of the store say nothing`;
  const staged = count("staged");
  if (staged > 0) return `${staged} rows of changes that came in pieces stay behind`;
  const names = await machine.raw.files.list(folderOf(file));
  // The last good file, the mark of our path, and the files set aside.
  const [most, asides] = [3, 10];
  const kept = names.filter((name) => name.includes(".aside.")).length;
  if (kept > asides) return `${kept} files are kept aside, at most ${asides} are to be`;
  if (names.length - kept > most) return `its folder holds ${names.join(", ")}`;
  return undefined;
}

const followedOf = ({ store }: HostProcess, service: ServiceName): string | undefined =>
  store.raw.prepare("SELECT followed FROM service WHERE name = ?").get(service)?.followed as string | undefined;

/** True if a key belongs to an entry that is refused as a whole. */
const isCovered = (key: string, wanted: ReadonlyMap<string, Expected>): boolean =>
  wanted.get(key.split("/", 1)[0]!)?.isRefused === true;

/** The lines that a daemon serves. Each row may be taken once, and no line may remain. */
function servedBy(host: HostProcess, service: ServiceName) {
  const left = new Set(linesServed(host, service).filter((line) => !isOfOthers(line)));
  return {
    take: (cell: string | null): boolean => cell === null || left.delete(lineOf(cell)),
    /** The lines that remain; with `own`, only those with these addresses. */
    rest(own?: ReadonlySet<string>): string | undefined {
      const wrong = [...left].filter((line) => own?.has(line.split(" ")[0]!) ?? true);
      return wrong.length > 0 ? `serves what it should not: ${wrong.join(", ")}` : undefined;
    },
  };
}
