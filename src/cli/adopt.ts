import { orderCommand } from "./order-command.ts";

/** Has a service's hosts take over one foreign thing. */
export const adopt = orderCommand({
  order: "adopt",
  summary: "take over one foreign thing, which trigger did not write: a record of a daemon, or a file",
  operand: "NAME",
  options: { remove: { type: "boolean", help: "remove the thing if no row has it" } },
  more: `NAME is its name in the output of \`trigger diff\` and \`trigger status\`: a MAC address, a host name, a path. From then
on trigger makes it match the rows. A thing that no row has would be removed: without --remove the host refuses.`,
  fields: ({ operands: [, name = ""], flag }) => ({ name, remove: flag("remove") }),
});
