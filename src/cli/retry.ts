import { orderCommand } from "./order-command.ts";

/** Has a service's hosts try parked messages, failed texts and refused rows again. */
export const retry = orderCommand({
  order: "retry",
  summary: "try parked messages, failed texts and refused rows again",
  more: "Parked messages go back to the end of their queue: newer ones may have been handled since.",
});
