/** The channels in a row that may confirm nothing before the connection is left for another address. */
const mostChannels = 3;

/** The state of a node that takes messages and confirms none, as a node does that is cut off from its cluster (RabbitMQ 4.3). */
export interface Deafness {
  /** The last channel has confirmed nothing at all. */
  readonly deaf: boolean;
  /** True while another address may still confirm: the node may be at fault, so nothing is known of any queue. */
  readonly knowsNothing: boolean;
  /** Something was confirmed. */
  heard(): void;
  /** A channel has confirmed nothing for too long; says why the connection is to be left, if it is. */
  silent(): string | undefined;
  /** The connection is gone. */
  lost(): void;
}

/** `addresses` is how many the server has: a connection to the only one is kept. */
export function deafness(addresses: number): Deafness {
  let channels = 0;
  /** The number of connections in a row that were left. */
  let left = 0;
  return {
    get deaf() {
      return channels > 0;
    },
    get knowsNothing() {
      return channels + left > 0 && left < addresses && addresses > 1;
    },
    heard() {
      channels = 0;
      left = 0;
    },
    silent() {
      channels += 1;
      if (addresses === 1 || channels < mostChannels) return undefined;
      left += 1;
      return `it confirmed nothing over ${mostChannels} channels, as a node that is cut off from its cluster`;
    },
    lost() {
      channels = 0;
    },
  };
}
