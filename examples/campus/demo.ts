import { styleText } from "node:util";
import { reason } from "../../src/core/util/errors.ts";
import { compare } from "./demo/compare.ts";
import { startDaemons } from "./demo/daemons.ts";
import { day } from "./demo/day.ts";
import { follow, type Outcome, play } from "./demo/play.ts";
import { load, prepare } from "./demo/prepare.ts";
import { screen } from "./demo/screen.ts";
import { start } from "./demo/start.ts";

/**
 * The campus on one machine: five hosts in this process, and a day of changes to the directory that they follow.
 *
 *     node examples/campus/demo.ts [--in FOLDER]     FOLDER: an empty one, for everything it writes; this one otherwise
 */

const stop = new AbortController();
process.once("SIGINT", () => stop.abort()).once("SIGTERM", () => stop.abort());
// The reader of a pipe has closed it (`npm run demo | head`).
process.stdout.once("error", () => stop.abort());
const { signal } = stop;
const show = screen(process.stdout);

try {
  const stage = await prepare(process.argv.slice(2), show);
  await using daemons = await startDaemons(stage.out, signal, show);
  await load(stage, show);
  await using campus = await start(stage, daemons, signal, show);
  const outcomes: Outcome[] = [];
  for (const [index, happening] of day.entries()) {
    show.heading(`${index + 1}. ${happening.title}`, happening.look);
    outcomes.push(await campus.unlessItFails(play(happening, campus, signal, show)));
  }
  show.heading("The day", "From the change to the last host that applied it.");
  show.summary(outcomes);
  await campus.unlessItFails(compare(campus, signal, show));
  show.places(stage);
  if (process.stdin.isTTY && process.stdout.isTTY) {
    show.say(`${styleText("bold", `Now edit ${stage.project.ldifFile}`)} and see what moves (Ctrl-C ends).`);
    for (const { question } of daemons.running) if (question) show.say(`Ask the daemon:  ${question}`);
    await campus.unlessItFails(follow(campus, signal, show));
  }
} catch (error) {
  if (!signal.aborted) process.stderr.write(`demo: ${reason(error)}\n`);
  process.exitCode = signal.aborted ? 130 : 1;
}
