import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { helpOf } from "../src/cli/command.ts";
import { commands, help } from "../src/cli/commands.ts";

/** The page of the command line, made of the commands' own help: `npm run docs` writes it, test/command-line.test.ts compares it. */
export const pageFile = "docs/command-line.md";

const shown = (text: string): string => `\`\`\`text\n${text.trimEnd()}\n\`\`\``;

/** The text of the page. */
export function page(): string {
  const list = commands.map(({ name, summary }) => `- [${name}](#trigger-${name}): ${summary}`);
  const each = commands.map((command) => `## trigger ${command.name}\n\n${shown(helpOf(command))}`);
  const head = `# Which commands and options are there?

This page is what \`trigger help\` and \`trigger COMMAND --help\` print. \`npm run docs\` writes it.`;
  return `${[head, list.join("\n"), shown(help), ...each].join("\n\n")}\n`;
}

if (import.meta.main) writeFileSync(join(import.meta.dirname, "..", pageFile), page());
