import type { Removal } from "./removal.ts";

export const pageFile = "docs/design/safeguards.md";

const head = `# Which test sees that a safeguard is gone?

\`npm run safeguards\` takes each safeguard below out of the code, one at a time, in a copy of the tree in a temporary
folder, and runs the tests named beside it. One of them must fail, and must have passed before. It ends with 1 if a
removal survives.

    npm run safeguards                              all
    npm run safeguards -- --only fsync-real,epoch-above
    npm run safeguards -- --file src/core/stream/host-end.ts
    npm run safeguards -- --jobs 2                  two at a time
    npm run safeguards -- --page                    writes this page

The list is \`test/safeguards/list/\`. Each entry has a text of its file that stands there exactly once, and what
replaces it. \`npm run check\` looks for these texts, so who changes such a line changes the entry too. It also holds this
page to the list.

A removal takes a second where a test of one file sees it, and up to a minute where the test waits for what never comes.
On two cores with much other work all of them took about 40 minutes.

*Refused:* tools that change each operator of the code. Most of their changes mean nothing to users, and who reads
thousands of survivors reads none. *Refused:* playing the list within \`npm test\`: it would take longer than all tests.

The simulations take safeguards away in their own way: [simulation.md](simulation.md).
`;

const cell = (text: string): string => text.replaceAll("|", "\\|");
const fileOf = (test: string): string => `\`${test.replace(/^src\//, "")}\``;

/** The page that shows the list. */
export function pageOf(removals: readonly Removal[]): string {
  const lines = [head];
  const files = [...new Set(removals.map(({ file }) => file))].sort();
  const noticed = removals.filter(({ equivalent }) => equivalent === undefined);
  lines.push("## The safeguards\n");
  lines.push("| removal | the rule | without it | noticed by |", "|---|---|---|---|");
  for (const file of files)
    for (const { id, guards, without, tests } of noticed.filter((removal) => removal.file === file))
      lines.push(`| \`${id}\` | ${cell(guards)} | ${cell(without)} | ${tests.map(fileOf).join(", ")} |`);
  const same = removals.filter(({ equivalent }) => equivalent !== undefined);
  lines.push("", "## Those whose removal no test can notice\n");
  lines.push("| removal | of | the rule | why no test notices |", "|---|---|---|---|");
  for (const { id, file, guards, equivalent = "" } of same)
    lines.push(`| \`${id}\` | \`${file.replace(/^src\//, "")}\` | ${cell(guards)} | ${cell(equivalent)} |`);
  return `${lines.join("\n")}\n`;
}
