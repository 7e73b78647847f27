import { statSync } from "node:fs";
import { systemClock } from "../../../src/daemon/clock.ts";
import type { Happening } from "./day.ts";
import { edit } from "./edit.ts";
import { differences, type Files, readFiles } from "./files.ts";
import type { Screen } from "./screen.ts";
import type { Campus } from "./start.ts";
import { waitFor } from "./wait.ts";
import { type Moved, movedBetween, type Place, sum } from "./watch.ts";

/** What became of a change at one place. */
export interface Arrival {
  readonly place: Place;
  /** Whether the service has run; it has not when all that came is refused. */
  readonly ran: boolean;
  readonly moved: Moved;
  /** From the change to "loaded", milliseconds; undefined when nobody made a change. */
  readonly took: number | undefined;
  /** The rows that are newly kept, with the reason. */
  readonly kept: readonly string[];
}

/** What a name server answered as soon as a change was there. */
export interface Answer {
  readonly name: string;
  /** None: there is no such name. */
  readonly addresses: readonly string[];
  /** From the change to the answer, milliseconds. */
  readonly took: number;
}

export interface Outcome {
  readonly title: string;
  readonly arrivals: readonly Arrival[];
  /** Undefined where no name server runs, or the change concerns none. */
  readonly answered: Answer | undefined;
}

/** A service runs at most once in so many milliseconds, so a change is made when nobody waits for his turn. */
const pace = 1000;

/** Applies a change to the directory, waits until every host concerned has it in force, and shows what moved. */
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

/** Shows what moves whenever the directory is edited, until the signal. */
export async function follow(campus: Campus, signal: AbortSignal, show: Screen): Promise<void> {
  // What a host says beyond what is shown anyway: why a file cannot be read, why a run failed.
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

/** 20261122102000Z */
const generalizedTime = (moment: number): string =>
  new Date(moment).toISOString().replace(/\.\d+/, "").replaceAll(/[-:T]/g, "");
