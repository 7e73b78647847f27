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
  /** Hears each line that a host logs from now on; all of them are in `out/trigger.log`. */
  onLog(hear: (line: string) => void): void;
  /** What is awaited, unless a host cannot go on before. */
  unlessItFails<Result>(awaited: Promise<Result>): Promise<Result>;
}

/** Starts every host and waits until each has everything in force. */
export async function start(stage: Stage, daemons: Daemons, signal: AbortSignal, show: Screen): Promise<Campus> {
  const { project, out } = stage;
  const hosts = [...project.config.hosts.keys()];
  let hear = (_line: string): void => {};
  const log = (line: string): void => {
    appendFileSync(join(out, "trigger.log"), `${new Date().toISOString()} ${line}\n`);
    hear(line);
  };
  // The stores are made here, so that they can be read before the hosts have got to it.
  for (const host of hosts) openStore(project.state, host, Date.now(), log).close();

  const stop = new AbortController();
  const begun = Date.now();
  const running = up(project, { hosts, signal: AbortSignal.any([signal, stop.signal]), log });
  const failed = running.then(() => new Promise<never>(() => {}));
  failed.catch(() => {}); // it is heard by whoever awaits something
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
      await Promise.allSettled([running]); // what it failed with is said already
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
          show.inForce(place, place.rows().size, at - begun);
        }
        return waiting.size === 0;
      },
      () =>
        [...waiting].map((place) => `${place.host} ${place.service} is not in force: ${place.trouble()}`).join("; "),
      signal,
    );
  }
}
