import { statSync } from "node:fs";
import { systemClock } from "../../../src/daemon/clock.ts";
import type { Happening } from "./day.ts";
import { edit } from "./edit.ts";
import { differences, type Files, readFiles } from "./files.ts";
import type { Screen } from "./screen.ts";
import type { Campus } from "./start.ts";
import { waitFor } from "./wait.ts";
import { type Moved, movedBetween, type Place, sum } from "./watch.ts";

/** The effect of a change at one place. */
export interface Arrival {
  readonly place: Place;
  /** True if the service has run. It does not run if every changed row is refused. */
  readonly ran: boolean;
  readonly moved: Moved;
  /** The time from the change until it was applied, in milliseconds; undefined if the directory did not change. */
  readonly took: number | undefined;
  /** The reasons of the newly retained rows. */
  readonly kept: readonly string[];
}

/** The first answer of a name server that has a change. */
export interface Answer {
  readonly name: string;
  /** The addresses of the name; none if the name does not exist. */
  readonly addresses: readonly string[];
  /** The time from the change to the answer, in milliseconds. */
  readonly took: number;
}

export interface Outcome {
  readonly title: string;
  readonly arrivals: readonly Arrival[];
  /** The answer of the name server; undefined if none runs, or if the change concerns no name. */
  readonly answered: Answer | undefined;
}

/**
 * The least time between two runs of a service, in milliseconds. A change is made when no service waits for its next
 * run.
 */
const pace = 1000;

/** Applies a change to the directory, waits until every host concerned has applied it, and shows the changed rows. */
export async function play(happening: Happening, campus: Campus, signal: AbortSignal, show: Screen): Promise<Outcome> {
  const { title, ldif, moves, answers } = happening;
  const { places, project, daemons } = campus;
  const lastRun = Math.max(...places.map((place) => place.loadedAt() ?? 0));
  await systemClock.sleep(lastRun + pace - Date.now(), signal);
  signal.throwIfAborted();

  const before = look(campus);
  const end = Math.ceil((Date.now() + 2000) / 1000) * 1000;
  const changes = typeof ldif === "string" ? ldif : ldif(generalizedTime(end));
  show.ldif(changes);
  const edited = edit(project.ldifFile, changes);
  const since = typeof ldif === "string" ? edited : end;

  const expected = (place: Place): number => moves[place.service] ?? 0;
  const seen = new Map<Place, number | undefined>();
  const waiting = new Set(places.filter((place) => expected(place) > 0));
  const server = answers && daemons.running.find(({ ask }) => ask);
  let answered: Answer | undefined;
  await waitFor(
    async () => {
      if (server?.ask && answers && !answered) {
        const [name, ...wanted] = answers;
        const addresses = await server.ask(name);
        if (addresses?.join() === wanted.join()) answered = { name, addresses, took: Math.max(Date.now() - since, 0) };
      }
      for (const place of waiting) {
        const at = place.loadedAt();
        if (at === seen.get(place)) continue;
        seen.set(place, at);
        if (sum(movedAt(place, before)) === expected(place)) waiting.delete(place);
      }
      return waiting.size === 0 && (answered !== undefined || server === undefined);
    },
    () =>
      [...waiting].map((place) => unfinished(place, before, expected(place))).join("; ") ||
      `${title}: the name server does not answer ${answers?.join(" ")}`,
    signal,
  );

  const arrivals = arrivalsSince(before, campus, since);
  const stray = arrivals.find(({ place, moved }) => sum(moved) !== expected(place));
  if (stray) throw new Error(`${title}: ${unfinished(stray.place, before, expected(stray.place))}`);
  show.arrivals(arrivals);
  if (answered) show.answer(answered);
  await daemons.look();
  show.differences(differencesSince(before, campus));
  return { title, arrivals, answered };
}

/** Shows the changed rows at every edit of the directory, until the signal. */
export async function follow(campus: Campus, signal: AbortSignal, show: Screen): Promise<void> {
  // Log lines of hosts that are not shown otherwise: the reason of an unreadable file, or of a failed run.
  campus.onLog((line) => {
    if (!signal.aborted && !/rows? changed by/.test(line)) show.log(line);
  });
  for (let before = look(campus); !signal.aborted; ) {
    await systemClock.sleep(50, signal);
    if (campus.places.some((place) => place.loadedAt() === undefined)) continue;
    const edited = editedAt(campus);
    const arrivals = arrivalsSince(before, campus, edited === before.edited ? undefined : edited);
    if (arrivals.length === 0) continue;
    show.arrivals(arrivals);
    await campus.daemons.look();
    show.differences(differencesSince(before, campus));
    before = look(campus);
  }
}

interface Look {
  readonly edited: number;
  readonly loadedAt: ReadonlyMap<Place, number | undefined>;
  readonly rows: ReadonlyMap<Place, ReadonlyMap<string, string>>;
  readonly kept: ReadonlyMap<Place, ReadonlyMap<string, string>>;
  readonly files: ReadonlyMap<string, Files>;
}

function look(campus: Campus): Look {
  const { places, project, out } = campus;
  return {
    edited: editedAt(campus),
    loadedAt: new Map(places.map((place) => [place, place.loadedAt()])),
    rows: new Map(places.map((place) => [place, place.rows()])),
    kept: new Map(places.map((place) => [place, place.kept()])),
    files: new Map([...project.config.hosts.keys()].map((host) => [host, readFiles(out, host)])),
  };
}

const editedAt = ({ project }: Campus): number => statSync(project.ldifFile).mtimeMs;

const movedAt = (place: Place, before: Look): Moved => movedBetween(before.rows.get(place) ?? new Map(), place.rows());

function arrivalsSince(before: Look, { places }: Campus, since: number | undefined): Arrival[] {
  return places.flatMap((place) => {
    const at = place.loadedAt();
    const ran = at !== before.loadedAt.get(place);
    const kept = [...place.kept()].filter(([key, why]) => before.kept.get(place)?.get(key) !== why);
    if (!ran && kept.length === 0) return [];
    const took = since === undefined ? undefined : Math.round((at ?? since) - since);
    return [{ place, ran, moved: movedAt(place, before), took, kept: kept.map(([, why]) => why) }];
  });
}

const differencesSince = (before: Look, { out }: Campus): Map<string, string[]> =>
  new Map([...before.files].flatMap(([host, files]) => [...differences(files, readFiles(out, host))]));

function unfinished(place: Place, before: Look, expected: number): string {
  const why = place.trouble();
  const moved = sum(movedAt(place, before));
  return `${place.host} ${place.service}: ${expected} rows should move, ${moved} did${why === undefined ? "" : ` (${why})`}`;
}

/** A moment (milliseconds since 1970) as a generalized time of LDAP: `20261122102000Z`. */
const generalizedTime = (moment: number): string =>
  new Date(moment).toISOString().replace(/\.\d+/, "").replaceAll(/[-:T]/g, "");
