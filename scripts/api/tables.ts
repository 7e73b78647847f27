import { commentOf, firstSentence } from "./comment.ts";
import type { Door, Item } from "./model.ts";

/** The page whose tables show the members of interfaces, between `<!-- table: NAME -->` and `<!-- end -->`. */
export const tablesFile = "docs/add-a-service.md";

/** The text of a page with every table made again from the doc comments of the front door. */
export function withTables(page: string, { items }: Door): string {
  return page.replace(/(<!-- table: (\w+) -->\n)[\s\S]*?(<!-- end -->)/g, (_, start, name, end) => {
    const item = items.find((one) => one.kind === "Interface" && one.name === name);
    if (!item) throw new Error(`${tablesFile}: no interface is called ${name}`);
    return `${start}${tableOf(item)}\n${end}`;
  });
}

function tableOf({ name, members = [] }: Item): string {
  const rows = members.map((member) => {
    const { text, throws } = commentOf(member);
    return [`\`${callOf(member)}\``, firstSentence(text), throws.map(firstSentence).join("; ")];
  });
  const throwing = rows.some(([, , thrown]) => thrown !== "");
  const lines = rows.map(([call, gives, thrown]) => `| ${[call, gives, ...(throwing ? [thrown] : [])].join(" | ")} |`);
  return [`| \`${name}\` | |${throwing ? " throws |" : ""}`, `|---|---|${throwing ? "---|" : ""}`, ...lines].join("\n");
}

/** A member as it is used: `one(attribute)`, `dn`. */
function callOf({ name, kind, parameters = [] }: Item): string {
  if (kind !== "MethodSignature") return name ?? "";
  return `${name}(${parameters.map(({ parameterName, isOptional }) => parameterName + (isOptional ? "?" : "")).join(", ")})`;
}
