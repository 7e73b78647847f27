import type { WrongOrderer } from "../core/config/senders.ts";
import type { Service, Table } from "../core/service/service.ts";
import type { follow } from "../core/stream/reader.ts";
import type { DaemonCompared, TranscriberReport } from "../core/stream/report.ts";
import type { Broker } from "../ports/broker.ts";
import type { Clock } from "../ports/clock.ts";
import type { Machine } from "../ports/machine.ts";
import type { HostStore } from "./store/host-store.ts";

/** What a host stands on. */
export interface HostOptions {
  readonly name: string;
  /** The services of this host by name; the transcriber's own is not among them. */
  readonly services: ReadonlyMap<string, Service>;
  /** The hash of each service's file. */
  readonly codes: ReadonlyMap<string, string>;
  readonly store: HostStore;
  /** The machine that a service works on: the same for all, but for a host that only looks. */
  machineOf(service: string): Machine;
  /** How many rows of a service with so many in force may go within an hour; no limit without it. */
  removalLimit?(service: string, rows: number): number;
  /** True if the last row of a service may go unasked, where there is a limit; false if it is absent. */
  mayEmpty?(service: string): boolean;
  /** How long the changes of a service wait for the hosts of the waves before this one, in milliseconds; undefined where there are none. */
  waveWithin?(service: string): number | undefined;
  /** How often every service is run on all rows, in milliseconds; otherwise only when it has to be. */
  readonly fullEvery?: number;
  /** Compares what a daemon has with the rows that are loaded, and changes nothing. Without it a `verify` ends with the table. */
  compareDaemon?(service: string, table: Table, signal: AbortSignal): Promise<DaemonCompared>;
  /** What the transcriber of this host says of itself; left out where there is none. */
  transcriber?(): TranscriberReport | undefined;
  /** A run of a service has succeeded. */
  ran?(service: string): void;
  /** Why a message about rows is not believed; undefined when it is. Without it every message is. */
  distrust?(body: Uint8Array): string | undefined;
  /** Why an order of a user of the broker is not obeyed; undefined when it is. Without it every order is. */
  readonly wrongOrderer?: WrongOrderer;
  /** Decides what to do with a message of the stream: `follow` of core/stream/reader.ts by default. */
  readonly follow?: typeof follow;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Connects to the broker; called only after every service has had its first run. */
  connect(): Promise<Broker>;
  log(line: string): void;
}
