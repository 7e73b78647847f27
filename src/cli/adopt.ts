import { orderCommand } from "./order-command.ts";

/** Has a service's hosts take over one foreign thing. */
export const adopt = orderCommand({
  order: "adopt",
  summary: "take over one foreign thing, which trigger did not write: a record of a daemon, or a file",
  operand: "NAME",
  options: { remove: { type: "boolean", help: "also what no row has: it is removed" } },
  more: `NAME is what \`trigger diff\` and \`trigger status\` call it: a MAC address, a name, a path. From then on it is made to
match the rows. A thing that no row has would be removed. Without --remove it is left alone, and the host's log says so.`,
  fields: ({ operands: [, name = ""], flag }) => ({ name, remove: flag("remove") }),
});
