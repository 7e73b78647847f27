import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { openStore } from "../../../src/daemon/store-file.ts";
import { up } from "../../../src/daemon/up.ts";
import type { Daemons } from "./daemons.ts";
import type { Stage } from "./prepare.ts";
import type { Screen } from "./screen.ts";
import { waitFor } from "./wait.ts";
import { openPlaces, type Place } from "./watch.ts";

/** The hosts of the campus, up in this process. */
export interface Campus extends Stage, AsyncDisposable {
  readonly places: readonly Place[];
  readonly daemons: Daemons;
  /** Calls `hear` with each line that a host logs from now on. All lines are in `out/trigger.log`. */
  onLog(hear: (line: string) => void): void;
  /** The result of a promise; rejects if a host fails before. */
  unlessItFails<Result>(awaited: Promise<Result>): Promise<Result>;
}

/** Starts every host and waits until each has applied all of its rows. */
export async function start(stage: Stage, daemons: Daemons, signal: AbortSignal, show: Screen): Promise<Campus> {
  const { project, out } = stage;
  const hosts = [...project.config.hosts.keys()];
  let hear = (_line: string): void => {};
  const log = (line: string): void => {
    appendFileSync(join(out, "trigger.log"), `${new Date().toISOString()} ${line}\n`);
    hear(line);
  };
  // The stores are made here: they are read before the hosts have made them.
  for (const host of hosts) openStore(project.state, host, Date.now(), log).close();

  const stop = new AbortController();
  const begun = Date.now();
  const running = up(project, { hosts, signal: AbortSignal.any([signal, stop.signal]), log });
  const failed = running.then(() => new Promise<never>(() => {}));
  failed.catch(() => {}); // each call of unlessItFails gets the error
  const places = openPlaces(project);
  const campus: Campus = {
    ...stage,
    places,
    daemons,
    onLog: (listener) => {
      hear = listener;
    },
    unlessItFails: (awaited) => Promise.race([awaited, failed]),
    async [Symbol.asyncDispose]() {
      stop.abort();
      await Promise.allSettled([running]); // its error is reported already
    },
  };
  show.say(`Starting ${hosts.join(", ")}: what \`trigger up --all\` does.\n`);
  try {
    await campus.unlessItFails(allInForce());
    await daemons.look();
  } catch (error) {
    await campus[Symbol.asyncDispose]();
    throw error;
  }
  return campus;

  async function allInForce(): Promise<void> {
    const waiting = new Set(places);
    await waitFor(
      () => {
        for (const place of waiting) {
          const at = place.loadedAt();
          if (at === undefined) continue;
          waiting.delete(place);
          show.current(place, place.rows().size, at - begun);
        }
        return waiting.size === 0;
      },
      () =>
        [...waiting]
          .map((place) => `${place.host} ${place.service} has not applied all: ${place.trouble()}`)
          .join("; "),
      signal,
    );
  }
}
