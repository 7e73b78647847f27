import { commentOf, paragraphs, wrapped } from "./comment.ts";
import { isNameOfError } from "./gaps.ts";
import type { Door, Item } from "./model.ts";

const width = 118;

/** The page of a front door: `docs/api/trigger.md`, `docs/api/trigger-directory.md`. */
export const pageFile = ({ name }: Door): string => `docs/api/${name.replaceAll("/", "-")}.md`;

/** The chapters of a page, and the kinds of export in each. */
const chapters: Readonly<Record<string, readonly string[]>> = {
  Functions: ["Function"],
  Values: ["Variable"],
  Errors: ["Class"],
  Interfaces: ["Interface"],
  Types: ["TypeAlias"],
};

/** The text of the page of a front door. */
export function apiPage(door: Door): string {
  const head = [
    `# What does \`${door.name}\` export?`,
    "`npm run docs` writes this page, from the doc comments of the code.",
  ];
  const zod = door.name === "trigger" ? ["`z` is [Zod](https://zod.dev): the schemas of rows and messages."] : [];
  const each = Object.entries(chapters).flatMap(([title, kinds]) => {
    const items = door.items.filter(({ kind }) => kinds.includes(kind));
    return items.length === 0 ? [] : [`## ${title}`, ...items.map(exportText)];
  });
  return `${[...head, ...zod, ...each].join("\n\n")}\n`;
}

function exportText(item: Item, index: number, items: readonly Item[]): string {
  const { text, throws, examples } = commentOf(item);
  const members = (item.members ?? []).filter((member) => !isNameOfError(member));
  return [
    // An overload stands under the name of the first.
    ...(items[index - 1]?.name === item.name ? [] : [`### ${item.name}`]),
    paragraphs(text, width),
    `\`\`\`typescript\n${declarationOf(item)}\n\`\`\``,
    ...throws.map((one) => wrapped(`Throws ${one}`, width)),
    ...examples.map((one) => one.replace(/^```ts$/m, "```typescript")),
    ...(members.length === 0 ? [] : [members.map(memberText).join("\n")]),
  ].join("\n\n");
}

/** A member as an item of a list. */
function memberText(item: Item): string {
  const { text, throws } = commentOf(item);
  const sentences = [text, ...throws.map((one) => `Throws ${one}`)].join(" ");
  return wrapped(`- \`${signatureOf(item)}\`: ${sentences}`, width, "  ");
}

const excerptOf = ({ excerptTokens }: Item): string => excerptTokens.map(({ text }) => text).join("");

/** The declaration of an export, without the words that all of them have. */
function declarationOf(item: Item): string {
  const text = excerptOf(item)
    .replace(/^export (?:declare )?/, "")
    .replace(/;$/, "")
    .trim();
  return item.kind === "Variable" ? `const ${text}` : text;
}

/** A member on one line. */
export const signatureOf = (item: Item): string =>
  excerptOf(item)
    .replace(/^(?:readonly|get) /, "")
    .replace(/;$/, "")
    .replace(/\s+/g, " ");
