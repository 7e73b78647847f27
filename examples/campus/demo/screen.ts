import type { WriteStream } from "node:tty";
import { styleText } from "node:util";
import { table } from "../../../src/cli/table.ts";
import type { Answer, Arrival, Outcome } from "./play.ts";
import type { Stage } from "./prepare.ts";
import type { Moved, Place } from "./watch.ts";

/** The most lines that are shown of a change, and of the difference of a file. */
const ldifLines = 12;
const diffLines = 6;
/** The least width at which lines are cut, in characters; a wider terminal shows more. */
const narrowest = 100;

export type Screen = ReturnType<typeof screen>;

/** Shows the course of the demo on a terminal, or writes it to a file. */
export function screen(stream: WriteStream) {
  const width = Math.max(stream.columns ?? 160, narrowest);
  const paint = (style: Parameters<typeof styleText>[0], text: string): string => styleText(style, text, { stream });
  const say = (text: string): void => void stream.write(`${text}\n`);
  const cut = (line: string): string => (line.length > width - 4 ? `${line.slice(0, width - 5)}…` : line);

  function block(lines: readonly string[], most: number, colour: (line: string) => string): void {
    for (const line of lines.slice(0, most)) say(`    ${colour(cut(line))}`);
    if (lines.length > most) say(paint("dim", `    … ${count(lines.length - most)} more lines`));
  }

  return {
    say,
    log: (line: string) => say(paint("yellow", line)),

    heading(title: string, about: string): void {
      say(`\n${paint(["bold", "cyan"], title)}\n${about}\n`);
    },

    daemon(name: string, says: string): void {
      say(`  ${name.padEnd(6)} ${says}`);
    },

    current({ host, service }: Place, rows: number, took: number): void {
      say(`  ${host.padEnd(6)} ${service.padEnd(8)} ${count(rows).padStart(6)} rows applied after ${count(took)} ms`);
    },

    ldif(changes: string): void {
      block(changes.trim().split("\n"), ldifLines, (line) => paint("dim", line));
      say("");
    },

    arrivals(arrivals: readonly Arrival[]): void {
      const ran = arrivals.filter((arrival) => arrival.ran);
      const lines = ran.map(({ place, moved, took }) => [
        `  ${place.host}`,
        place.service,
        movedText(moved),
        took === undefined ? "applied, by the clock" : `applied after ${count(took)} ms`,
      ]);
      if (ran.length > 0) say(table(lines).join("\n"));
      for (const { place, kept } of arrivals) {
        for (const why of kept) say(paint("yellow", cut(`  ${place.host} keeps the last good row: ${why}`)));
      }
    },

    answer({ name, addresses, took }: Answer): void {
      const what = addresses.length > 0 ? addresses.join(", ") : "there is no such name";
      say(paint("green", `  ns1 answers ${name}: ${what}, after ${count(took)} ms`));
    },

    /**
     * Shows the differences of files. Files with equal differences, as of two servers of one service, are shown once.
     */
    differences(files: ReadonlyMap<string, readonly string[]>): void {
      const alike = Map.groupBy(files, ([, lines]) => lines.join("\n"));
      for (const same of alike.values()) {
        const [[, lines] = ["", []]] = same;
        say(`\n  ${paint("bold", same.map(([path]) => `out/${path}`).join(" and "))}`);
        block(lines, diffLines, (line) => paint(colours[line[0] ?? ""] ?? "dim", line));
      }
    },

    summary(outcomes: readonly Outcome[]): void {
      const asked = outcomes.some(({ answered }) => answered);
      const lines = outcomes.map(({ title, arrivals, answered }) => [
        `  ${title}`,
        [...new Set(arrivals.map(({ place }) => place.host))].join(" "),
        [...new Set(arrivals.map(({ place, moved }) => `${place.service} ${movedText(moved)}`))].join(", "),
        `${count(Math.max(...arrivals.map(({ took }) => took ?? 0)))} ms`,
        ...(asked ? [answered ? `${count(answered.took)} ms` : ""] : []),
      ]);
      const head = ["  CHANGE", "HOSTS", "ROWS", "LOADED AFTER", ...(asked ? ["NS1 ANSWERS"] : [])];
      say(`${table([head, ...lines]).join("\n")}\n`);
      say(
        "Each time has 200 ms of waiting for campus.ldif to stand still (not where the clock made the change); then all of it\nis read, 7,000 entries, and brought into the daemons, or into files that the daemons' own checkers read where they are here.\n",
      );
    },

    same(places: readonly Place[]): void {
      const all = places.map(({ host, service }) => `${host} ${service}`).join(", ");
      say(`Compared with what is really there, as \`trigger diff\` does: ${all}: the same.\n`);
    },

    places({ project, out }: Stage): void {
      say(`The directory   ${project.ldifFile}`);
      say(`The hosts       ${out}`);
      say(`The project     ${project.folder}  (trigger.config.ts, services/, lib/)\n`);
    },
  };
}

const colours: Readonly<Record<string, "green" | "red">> = { "+": "green", "-": "red" };

const count = (number: number): string => number.toLocaleString("en");

function movedText({ came, changed, left }: Moved): string {
  const parts = [
    [came, "came"],
    [changed, "changed"],
    [left, "left"],
  ] as const;
  const said = parts.filter(([number]) => number > 0).map(([number, verb]) => `${count(number)} ${verb}`);
  return said.join(", ") || "nothing moved";
}
