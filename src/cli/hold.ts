import { orderCommand } from "./order-command.ts";

/** Holds a service. */
export const hold = orderCommand({
  order: "hold",
  summary: "let a service follow and store, and write nothing until `trigger approve`",
  operand: "[WHY]",
  more: "`trigger diff` shows what it would do.",
  fields: ({ operands: [, why] }) => (why === undefined ? {} : { why }),
});
