import type { ServiceReport, TranscriberReport } from "../core/stream/report.ts";
import type { TranscriberState } from "../core/stream/transcriber-state.ts";

/** The state of one host of the config, as far as it is known on this machine. */
export interface HostStatus {
  readonly host: string;
  /** True if it was read from the host's own store, on this machine; false if from its last report. */
  readonly here: boolean;
  /** True if its process lives; undefined if it is elsewhere. */
  readonly up: boolean | undefined;
  /** The time of this status, or of its report here, in milliseconds since 1970; undefined without a report. */
  readonly at: number | undefined;
  /** The trouble of the host's broker connection. */
  readonly trouble: string | undefined;
  readonly services: Readonly<Record<string, ServiceReport>>;
  readonly transcriber: TranscriberState | undefined;
  /**
   * The last report of a transcriber elsewhere about itself, and the time of it here. Undefined if its version sends
   * none.
   */
  readonly transcriberReport: (TranscriberReport & { readonly heard: number }) | undefined;
  /** The start of the process of a host here, in milliseconds since 1970. */
  readonly since: number | undefined;
}
