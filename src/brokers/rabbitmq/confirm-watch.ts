/** The number of channels in a row without any confirm after which the connection is left for another address. */
const mostChannels = 3;

/**
 * The state of a node that takes messages without confirming any, as one that is cut off from its cluster (RabbitMQ
 * 4.3).
 */
export interface ConfirmWatch {
  /** True if the last channel has confirmed no message. */
  readonly silent: boolean;
  /** True while another address may still confirm. The node may be at fault, so no queue is recreated. */
  readonly nodeSuspected: boolean;
  /** Notes a confirm. */
  noteConfirm(): void;
  /** Notes a channel without confirms; returns the reason to leave the connection, or undefined to keep it. */
  noteNone(): string | undefined;
  /** Notes the end of the connection. */
  noteEnd(): void;
}

/** Tracks confirms for a number of addresses. A connection to a server's only address is kept. */
export function confirmWatch(addresses: number): ConfirmWatch {
  let channels = 0;
  /** The number of connections in a row that were abandoned for the lack of confirms. */
  let left = 0;
  return {
    get silent() {
      return channels > 0;
    },
    get nodeSuspected() {
      return channels + left > 0 && left < addresses && addresses > 1;
    },
    noteConfirm() {
      channels = 0;
      left = 0;
    },
    noteNone() {
      channels += 1;
      if (addresses === 1 || channels < mostChannels) return undefined;
      left += 1;
      return `it confirmed nothing over ${mostChannels} channels, like a node that is cut off from its cluster`;
    },
    noteEnd() {
      channels = 0;
    },
  };
}
