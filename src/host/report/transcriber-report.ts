import { activeInterval, type TranscriberReport } from "../../core/stream/report.ts";
import type { Clock } from "../../ports/clock.ts";

/**
 * Returns a check whether the report of a host's transcriber must be sent: when it has changed, and every few seconds
 * while it is active. Other hosts thus notice when none is active any more.
 */
export function transcriberLook(
  says: () => TranscriberReport | undefined,
  clock: Clock,
  onReportChanged: () => void,
): () => void {
  let sent = "";
  let sentAt = Number.NEGATIVE_INFINITY;
  return () => {
    const state = says();
    const text = JSON.stringify(state) ?? "";
    const isDue = state?.active === true && clock.monotonic() - sentAt >= activeInterval;
    if (text === sent && !isDue) return;
    sent = text;
    sentAt = clock.monotonic();
    onReportChanged();
  };
}
