import { orderCommand } from "./order-command.ts";

/** Has a service's hosts generate everything again. */
export const regen = orderCommand({
  order: "regen",
  summary: "make a service's hosts generate everything again",
  more: "It repairs the differences that `trigger diff` shows on the host.",
});
