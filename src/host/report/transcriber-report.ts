import { activeInterval, type TranscriberReport } from "../../core/stream/report.ts";
import type { Clock } from "../../ports/clock.ts";

/** Looks, each time that it is called, whether what the transcriber of a host says is to be reported: when it changed, and every few seconds while it is active, so that others know when none is any more. */
export function transcriberLook(
  says: () => TranscriberReport | undefined,
  clock: Clock,
  onReportChanged: () => void,
): () => void {
  let told = "";
  let toldAt = Number.NEGATIVE_INFINITY;
  return () => {
    const state = says();
    const text = JSON.stringify(state) ?? "";
    const isDue = state?.active === true && clock.monotonic() - toldAt >= activeInterval;
    if (text === told && !isDue) return;
    told = text;
    toldAt = clock.monotonic();
    onReportChanged();
  };
}
