import { UserError } from "../core/util/errors.ts";
import { forecast as foresee } from "../operations/forecast.ts";
import { openProject } from "../project/project.ts";
import { type Command, projectOption } from "./command.ts";
import { table } from "./table.ts";

/** Shows the changes that time alone will make to the tables. */
export const forecast: Command = {
  name: "forecast",
  summary: "the rows that time alone will add and remove: ends of subscriptions, of bans",
  operands: ["[DAYS]"],
  options: { ...projectOption, json: { type: "boolean", help: "as JSON" } },
  more: `It reads the directory as it is now, lets the clock run for DAYS (30), and counts by hour; nothing is published. If an
hour removes more rows than \`removals\` in the config allows, or the last rows of a table, hosts will hold these
removals. Allow them beforehand with \`trigger approve SERVICE --until DATE --at-most N\`.

Exit codes
  0  nothing will be held
  1  some removals will be held`,
  async run({ operands: [given = "30"], text, flag }, { folder, say, lines: print, json }) {
    if (!/^\d{1,4}$/.test(given)) throw new UserError(`expected a number of days, found ${JSON.stringify(given)}`);
    const project = await openProject(text("project") ?? folder);
    const found = await foresee(project, Date.now(), Number(given));
    type Found = (typeof found)[number];
    const isHeld = ({ removed, limit, empties }: Found): boolean => removed > limit || empties;
    const whyHeld = ({ removed, limit }: Found): string =>
      removed > limit ? `at most ${limit} are removed in an hour` : "no row would be left";
    if (flag("json")) json(found);
    else if (found.length === 0) say(`time alone changes no row within ${given} days`);
    else {
      const lines = found.map((one) => [
        new Date(one.at).toLocaleString("sv-SE", { timeZone: project.config.timezone }),
        one.service,
        String(one.added),
        String(one.removed),
        String(one.rows),
        isHeld(one) ? `will be held on ${one.hosts.join(", ")}: ${whyHeld(one)}` : "",
      ]);
      print(table([["WHEN", "SERVICE", "ADDED", "REMOVED", "OF", ""], ...lines], { right: [2, 3, 4] }));
    }
    return found.some(isHeld) ? 1 : 0;
  },
};
