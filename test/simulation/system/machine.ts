import { createHash } from "node:crypto";
import type { Files } from "../../../src/core/service/host-api.ts";
import { commandDeadline } from "../../../src/host/install/step.ts";
import { folderOf } from "../../../src/host/install/target.ts";
import type { Machine } from "../../../src/ports/machine.ts";
import { type MemoryMachine, memoryMachine } from "../../../src/testing/memory-machine.ts";
import type { Break } from "./breaks.ts";
import { Dead, type Life } from "./life.ts";
import type { Time } from "./time.ts";

/** A machine with two daemons. `named` reads its file when told to; `recordd` has its records only in memory. */
export interface SimulatedMachine {
  readonly raw: MemoryMachine;
  /** The offset of its wall clock, in milliseconds. */
  skew: number;
  /** The text that `named` runs. */
  readonly running: string | undefined;
  /** The content of each record of `recordd`, by name. */
  readonly records: ReadonlyMap<string, string>;
  /**
   * The pending faults. Most have the number of times that they strike. `check` and `reload` fail until a monotonic
   * time; `slow` is the delay of each step. Both are in milliseconds.
   */
  readonly faults: Record<Fault, number>;
  /** The number of the hand edit that is in the file; 0 for none. */
  readonly edited: number;
  /** True if someone other than trigger has started or reloaded `named` since trigger last reloaded it. */
  readonly disturbed: boolean;
  /** The number of restarts of `recordd`. */
  readonly restarts: number;
  /** The number of restarts of each daemon. */
  readonly starts: Readonly<Record<"named" | "recordd", number>>;
  /** The life of trigger's process on this machine. */
  life: Life | undefined;
  /** The machine as one process sees it. */
  seenBy(life: Life): Machine;
  restart(daemon: "named" | "recordd"): void;
  /** Edits the file by hand and, with `reload`, tells `named`. */
  edit(text: string, options: { readonly reload: boolean }): void;
  /** Adds a foreign record to `recordd`; with `kept`, also at each of its restarts. */
  record(name: string, content: string, options: { readonly kept: boolean }): void;
  powerCut(random: () => number): void;
}

/**
 * The kinds of faults. "check" and "reload" fail for any text; a "deaf" reload reports success and does nothing. "half"
 * ends a write of records half-way. With "away" `recordd` says that it cannot answer, with "hang" it says nothing.
 * "slow" delays the disk and the programs.
 */
export type Fault = "check" | "reload" | "deaf" | "half" | "away" | "hang" | "slow";

export const file = "/etc/named/hosts";

/** The text of the names' file: complete if its last line is the digest of the others. */
export function textOf(rows: Iterable<{ readonly name: string; readonly ip: string }>): string {
  const lines = [...rows].map(({ ip, name }) => `${ip} ${name}\n`).join("");
  return `${lines}# ${digest(lines)}\n`;
}
const digest = (lines: string): string => createHash("sha256").update(lines).digest("hex").slice(0, 16);

/** True if a text is complete, as `textOf` made it. */
export function isWhole(text: string): boolean {
  const end = text.lastIndexOf("# ");
  return end >= 0 && text === `${text.slice(0, end)}# ${digest(text.slice(0, end))}\n`;
}

/** True if the check rejects a text. `isBroken` is true if only the reload does. */
export const isBad = (text: string): boolean => text.includes("bad-name");
const isBroken = (text: string): boolean => text.includes("broken-name");

/** Receives each text of the file and each text that `named` runs. */
export interface Watcher {
  see(text: string | undefined): void;
  seeRunning(text: string): void;
}

export function simulatedMachine(
  without: Break | undefined,
  { monotonic, sleep }: Pick<Time, "monotonic" | "sleep">,
  { see, seeRunning }: Watcher,
): SimulatedMachine {
  const faults: Record<Fault, number> = { check: 0, reload: 0, deaf: 0, half: 0, away: 0, hang: 0, slow: 0 };
  let running: string | undefined;
  const run = (text: string | undefined): void => {
    running = text;
    if (text !== undefined) seeRunning(text);
  };
  const records = new Map<string, string>();
  /** The foreign records that `recordd` starts with. */
  const kept = new Map<string, string>();
  let edited = 0;
  let edits = 0;
  let disturbed = false;
  let restarts = 0;
  const starts = { named: 0, recordd: 0 };
  /** The text that trigger installed last. */
  let put: string | undefined;
  /** Without the safeguard "order": the rename that waits for the reload. */
  let postponed: (() => Promise<void>) | undefined;
  const struck = (fault: Fault): boolean => {
    if (faults[fault] <= 0) return false;
    faults[fault] -= 1;
    return true;
  };
  const raw = memoryMachine({
    onStep(step) {
      see(raw.text(file));
      self.life?.step(step);
    },
  });
  raw.program("check", ({ arguments: [path = ""] }) => {
    if (without === "check") return {};
    if (monotonic() < faults.check) return { code: 1, stderr: "out of memory" };
    return isBad(raw.text(path) ?? "bad-name") ? { code: 1, stderr: "syntax error" } : {};
  });
  raw.program("reload", () => {
    if (monotonic() < faults.reload) return { code: 1, stderr: "out of memory" };
    const text = raw.text(file);
    if (text === undefined || isBad(text) || isBroken(text)) return { code: 1, stderr: "cannot load it" };
    disturbed = false;
    if (!struck("deaf")) run(text);
    return {};
  });
  raw.program("probe", ({ input }) =>
    running === input || without === "probe" ? {} : { code: 1, stderr: "it is not served" },
  );
  raw.program("records", ({ arguments: [word], input = "", signal }) => {
    if (struck("hang")) {
      return sleep(commandDeadline, signal).then(() => {
        throw new Error("recordd: ended after its deadline");
      });
    }
    if (struck("away")) return { code: 75, stderr: "recordd does not answer" };
    if (word === "look") return { stdout: JSON.stringify([...records]) };
    const moves: [string, string | null][] = JSON.parse(input);
    const half = struck("half");
    for (const [name, content] of half ? moves.slice(0, Math.ceil(moves.length / 2)) : moves) {
      if (content === null) records.delete(name);
      else records.set(name, content);
    }
    return half ? { code: 1, stderr: "it broke half-way" } : {};
  });

  /** The file operations of a process that lacks a safeguard. */
  const lacking: Partial<Files> = {
    ...(without === "stage-sync" && {
      sync: async (path) => void ((await raw.files.stat(path))?.kind === "file" || (await raw.files.sync(path))),
    }),
    ...(without === "folder-sync" && {
      sync: async (path) => void ((await raw.files.stat(path))?.kind !== "file" || (await raw.files.sync(path))),
    }),
    ...(without === "rename" && {
      async rename(from, to) {
        if (to !== file) return raw.files.rename(from, to);
        await raw.files.write(to, (await raw.files.read(from)) ?? "");
        await raw.files.sync(to);
        await raw.files.remove(from);
      },
    }),
    ...(without === "order" && {
      async rename(from, to) {
        if (to !== file) return raw.files.rename(from, to);
        postponed = () => raw.files.rename(from, to);
      },
    }),
    ...(without === "three-way" && {
      read: async (path) => (path === file && put !== undefined ? Buffer.from(put) : raw.files.read(path)),
    }),
    ...(without === "take-over" && {
      stat: async (path) => raw.files.stat(path.endsWith(".mine") ? "/" : path),
    }),
  };

  const self: SimulatedMachine = {
    raw,
    skew: 0,
    get running() {
      return running;
    },
    records,
    faults,
    get edited() {
      return edited;
    },
    get disturbed() {
      return disturbed;
    },
    get restarts() {
      return restarts;
    },
    starts,
    life: undefined,
    seenBy(life) {
      postponed = undefined;
      // The ownership mark of trigger counts only in a durable folder, so the folder is made durable here.
      if (without === "take-over") {
        void raw.files.makeDirectory(folderOf(file), { mode: 0o700 });
        for (const folder of ["/", "/etc", "/etc/named"]) void raw.files.sync(folder);
      }
      const step = async (what: string): Promise<void> => {
        if (faults.slow > 0 && !life.dead) await sleep(faults.slow);
        if (life.dead) throw new Dead(`${what}: the process is dead`);
      };
      const files = Object.fromEntries(
        Object.entries({ ...raw.files, ...lacking }).map(([name, work]) => [
          name,
          async (...words: string[]) => {
            await step(name);
            const done = await (work as (...words: string[]) => unknown)(...words);
            if (name === "rename" && words[1] === file) {
              put = raw.text(file);
              edited = 0;
            }
            return done;
          },
        ]),
      ) as unknown as Files;
      return {
        dry: false,
        scratch: raw.scratch,
        kept: raw.kept,
        files,
        async run(asked, options) {
          await step("run");
          const output = await raw.run(asked, options);
          const late = postponed;
          postponed = undefined;
          await late?.();
          return output;
        },
        incarnation: async (daemon) => (without === "incarnation" ? "always the same" : raw.incarnation(daemon)),
      };
    },
    restart(daemon) {
      raw.restarted(daemon);
      boot(daemon);
    },
    edit(text, { reload }) {
      raw.place(file, text);
      edits += 1;
      edited = edits;
      see(text);
      if (!reload) return;
      running = text;
      disturbed = true;
    },
    record(name, content, options) {
      records.set(name, content);
      if (options.kept) kept.set(name, content);
    },
    powerCut(random) {
      postponed = undefined;
      raw.powerCut(random);
      put = raw.text(file);
      see(put);
      boot("named");
      boot("recordd");
    },
  };
  /**
   * Starts a daemon. `named` runs its file if it can read it, otherwise nothing; `recordd` starts with foreign records
   * alone.
   */
  function boot(daemon: "named" | "recordd"): void {
    starts[daemon] += 1;
    if (daemon === "recordd") {
      restarts += 1;
      records.clear();
      for (const [name, content] of kept) records.set(name, content);
      return;
    }
    disturbed = true;
    const text = raw.text(file);
    run(text !== undefined && !isBad(text) && !isBroken(text) ? text : undefined);
  }
  return self;
}
