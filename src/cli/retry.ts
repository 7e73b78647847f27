import { orderCommand } from "./order-command.ts";

/** Has a service's hosts try again what waits for a person. */
export const retry = orderCommand({
  order: "retry",
  summary: "try again what waits for a person: parked messages, texts that failed, refused rows",
  more: "Parked messages go back to the end of their queue: newer ones may have been handled since.",
});
