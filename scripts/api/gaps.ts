import { commentOf } from "./comment.ts";
import type { Door, Item } from "./model.ts";

/** Types that only shorten a declaration: no project has a use for their names. */
const inner = ["AnyTable", "Known", "Wire"];

/**
 * The gaps of a reference: exports and members without a comment, and types that are named and not exported. A parameter needs to be
 * named in the comment, in backticks, unless its type is an export of the door, which has a comment of its own.
 */
export function gapsOf({ name, items, forgotten }: Door): string[] {
  const types = new Set(items.map((item) => item.name));
  return [
    ...forgotten.filter((type) => !inner.includes(type)).map((type) => `${name}: ${type} is named, and not exported`),
    ...items.flatMap((item) => gapsIn(item, `${name}: ${item.name}`, types)),
  ];
}

function gapsIn(item: Item, place: string, types: ReadonlySet<string | undefined>): string[] {
  if (isNameOfError(item)) return [];
  const members = item.members ?? [];
  const within = members.flatMap((member) => gapsIn(member, `${place}.${member.name ?? member.kind}`, types));
  const { docComment = "", excerptTokens } = item;
  if (commentOf(item).text === "") return [`${place} has no doc comment`, ...within];
  const unnamed = (item.parameters ?? []).filter(({ parameterName, parameterTypeTokenRange: range }) => {
    const type = excerptTokens.slice(range.startIndex, range.endIndex).map(({ text }) => text);
    const [, word] = /^(\w+)(?:<.*>)?$/s.exec(type.join("")) ?? [];
    return !types.has(word) && !new RegExp(`\`(?:options\\.)?${parameterName}\\b`).test(docComment);
  });
  return [...unnamed.map(({ parameterName }) => `${place} says nothing of \`${parameterName}\``), ...within];
}

/** The `name` of an error is that of its class. */
export const isNameOfError = ({ kind, name }: Item): boolean => kind === "Property" && name === "name";
