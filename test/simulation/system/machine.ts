import { createHash } from "node:crypto";
import type { Files } from "../../../src/core/host.ts";
import { commandDeadline } from "../../../src/host/install/step.ts";
import { type MemoryMachine, memoryMachine } from "../../../src/machines/memory.ts";
import type { Clock } from "../../../src/ports/clock.ts";
import type { Machine } from "../../../src/ports/machine.ts";
import { Dead, type Life } from "./life.ts";

/** A machine with two daemons: `named`, which reads its file when it is told to, and `recordd`, whose records live in its memory alone. */
export interface SimulatedMachine {
  readonly raw: MemoryMachine;
  /** Its wall clock is so many milliseconds off. */
  skew: number;
  /** The text that `named` runs. */
  readonly running: string | undefined;
  /** What `recordd` has, by name. */
  readonly records: ReadonlyMap<string, string>;
  /** What goes wrong: next, so many times; `check` and `reload` until a moment, in monotonic milliseconds. */
  readonly faults: Record<Fault, number>;
  /** The life of trigger's process there. */
  life: Life | undefined;
  /** As one process has it. */
  seenBy(life: Life): Machine;
  restart(daemon: "named" | "recordd"): void;
  powerCut(random: () => number): void;
}

/** A check or a reload that fails whatever the text (until a moment); a reload that says well and does nothing; a write of records that ends half-way; a `recordd` that says that it cannot answer, or says nothing. */
export type Fault = "check" | "reload" | "deaf" | "half" | "away" | "hang";

export interface MachineBreaks {
  readonly stageSync: boolean;
  readonly namesSync: boolean;
  readonly incarnation: boolean;
  readonly check: boolean;
}

export const file = "/etc/named/hosts";

/** The text of the names' file: whole when its last line is the digest of the others. */
export function textOf(rows: Iterable<{ readonly name: string; readonly ip: string }>): string {
  const lines = [...rows].map(({ ip, name }) => `${ip} ${name}\n`).join("");
  return `${lines}# ${digest(lines)}\n`;
}
const digest = (lines: string): string => createHash("sha256").update(lines).digest("hex").slice(0, 16);

/** Whether a text is whole, as `textOf` made it. */
export function isWhole(text: string): boolean {
  const end = text.lastIndexOf("# ");
  return end >= 0 && text === `${text.slice(0, end)}# ${digest(text.slice(0, end))}\n`;
}

/** What the daemon that checks says no to, and what it only finds when it loads it. */
export const isBad = (text: string): boolean => text.includes("bad-name");
const isBroken = (text: string): boolean => text.includes("broken-name");

/** Sees every text that stands in the file, and every one that `named` runs. */
export interface Watcher {
  see(text: string | undefined): void;
  seeRunning(text: string): void;
}

export function simulatedMachine(
  breaks: MachineBreaks,
  { monotonic, sleep }: Clock,
  { see, seeRunning }: Watcher,
): SimulatedMachine {
  const faults: Record<Fault, number> = { check: 0, reload: 0, deaf: 0, half: 0, away: 0, hang: 0 };
  let running: string | undefined;
  const run = (text: string | undefined): void => {
    running = text;
    if (text !== undefined) seeRunning(text);
  };
  const records = new Map<string, string>();
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
    if (breaks.check) return {};
    if (monotonic() < faults.check) return { code: 1, stderr: "out of memory" };
    return isBad(raw.text(path) ?? "bad-name") ? { code: 1, stderr: "syntax error" } : {};
  });
  raw.program("reload", () => {
    if (monotonic() < faults.reload) return { code: 1, stderr: "out of memory" };
    const text = raw.text(file);
    if (text === undefined || isBad(text) || isBroken(text)) return { code: 1, stderr: "cannot load it" };
    if (!struck("deaf")) run(text);
    return {};
  });
  raw.program("probe", ({ input }) => (running === input ? {} : { code: 1, stderr: "it is not served" }));
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

  const self: SimulatedMachine = {
    raw,
    skew: 0,
    get running() {
      return running;
    },
    records,
    faults,
    life: undefined,
    seenBy(life) {
      const alive = (what: string): void => {
        if (life.dead) throw new Dead(`${what}: the process is dead`);
      };
      const files = Object.fromEntries(
        Object.entries(raw.files).map(([name, work]) => [
          name,
          async (...words: string[]) => {
            alive(name);
            const isFile = name === "sync" && (await raw.files.stat(words[0]!))?.kind === "file";
            if (name === "sync" && (isFile ? breaks.stageSync : breaks.namesSync)) return;
            return (work as (...words: string[]) => unknown)(...words);
          },
        ]),
      ) as unknown as Files;
      return {
        dry: false,
        files,
        async run(asked, options) {
          alive("run");
          return raw.run(asked, options);
        },
        incarnation: async (daemon) => (breaks.incarnation ? "always the same" : raw.incarnation(daemon)),
      };
    },
    restart(daemon) {
      raw.restarted(daemon);
      if (daemon === "named") boot();
      else records.clear();
    },
    powerCut(random) {
      raw.powerCut(random);
      see(raw.text(file));
      boot();
      records.clear();
    },
  };
  /** A daemon that cannot read its file does not start; it runs what it can. */
  function boot(): void {
    const text = raw.text(file);
    run(text !== undefined && !isBad(text) && !isBroken(text) ? text : undefined);
  }
  return self;
}
