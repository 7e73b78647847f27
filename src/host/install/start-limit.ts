import type { Asked } from "../../core/service/host-api.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Machine } from "../../ports/machine.ts";
import type { StartLimit, UnitStarts } from "../store/unit-starts.ts";

/**
 * The start limit of systemd: after a number of starts within an interval, a unit is refused until it is reset ("start
 * request repeated too quickly"). Each start that a service causes is counted, durably. The service waits before the
 * limit is reached.
 */

/** The default limit of systemd (systemd.unit(5)): starts, and milliseconds. */
const usual = { burst: 5, interval: 10_000 };

const verbs = ["start", "restart", "try-restart", "reload-or-restart", "try-reload-or-restart"];

/** The units that a command starts, judged by its words: `systemctl restart named`, `service named restart`. */
export function unitsStarted(asked: Asked): string[] {
  if ("socket" in asked) return [];
  const at = asked.findIndex((word) => /(^|\/)(systemctl|service)$/.test(word));
  if (at < 0) return [];
  const words = asked.slice(at + 1).filter((word) => !word.startsWith("-"));
  if (asked[at]?.endsWith("service"))
    return words[1] !== undefined && verbs.includes(words[1]) ? [unitOf(words[0])] : [];
  const [verb = "", ...units] = words;
  return verbs.includes(verb) ? units.map(unitOf) : [];
}

const unitOf = (name = ""): string => (/\.[a-z]+$/.test(name) ? name : `${name}.service`);

/** A machine that records each start of a unit before it happens. */
export function countingStarts(machine: Machine, starts: UnitStarts, clock: Clock): Machine {
  if (machine.dry) return machine;
  return {
    dry: false,
    scratch: machine.scratch,
    kept: machine.kept,
    files: machine.files,
    incarnation: (daemon) => machine.incarnation(daemon),
    async run(asked, options) {
      for (const unit of options.changes ? unitsStarted(asked) : []) {
        starts.note(unit, clock.now(), await limitOf(machine, unit, options.signal));
      }
      return machine.run(asked, options);
    },
  };
}

async function limitOf(machine: Machine, unit: string, signal: AbortSignal | undefined): Promise<StartLimit> {
  const show = ["systemctl", "show", unit, "--property=StartLimitIntervalUSec,StartLimitBurst"] as const;
  try {
    const { code, stdout } = await machine.run(show, { changes: false, deadline: 5000, ...(signal && { signal }) });
    return code === 0 ? readLimit(stdout) : usual;
  } catch (error) {
    signal?.throwIfAborted();
    // The start itself shows whether the unit can be started.
    if (error instanceof Error) return usual;
    throw error;
  }
}

/** The limit of a unit, as `systemctl show` prints it; a limit of 0 is none. */
export function readLimit(said: string): StartLimit {
  const found = /^StartLimitIntervalUSec=(.*)$/m.exec(said)?.[1]?.trim();
  const burst = /^StartLimitBurst=(\d+)$/m.exec(said)?.[1];
  const interval = found === undefined ? undefined : readSpan(found);
  return { burst: burst === undefined ? usual.burst : Number(burst), interval: interval ?? usual.interval };
}

const units: Readonly<Record<string, number>> = {
  ...{ us: 0.001, ms: 1, s: 1000, min: 60_000, h: 3_600_000 },
  ...{ d: 86_400_000, w: 604_800_000, month: 2_629_800_000, y: 31_557_600_000 },
};

/** A time span as systemd writes it (systemd.time(7)): `10s`, `1min 30s`, `infinity`; undefined for anything else. */
function readSpan(text: string): number | undefined {
  if (text === "infinity") return units.y;
  if (text === "0") return 0;
  let sum = 0;
  for (const word of text.split(/\s+/)) {
    const [, amount, unit = ""] = /^([\d.]+)([a-z]+)$/.exec(word) ?? [];
    const length = units[unit];
    if (amount === undefined || length === undefined) return undefined;
    sum += Number(amount) * length;
  }
  return Math.ceil(sum);
}
