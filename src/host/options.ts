import type { WrongOrderer } from "../core/config/senders.ts";
import type { Service, Table } from "../core/service/service.ts";
import type { follow } from "../core/stream/reader.ts";
import type { DaemonCompared, TranscriberReport } from "../core/stream/report.ts";
import type { Broker } from "../ports/broker.ts";
import type { Clock } from "../ports/clock.ts";
import type { Machine } from "../ports/machine.ts";
import type { HostStore } from "./store/host-store.ts";

/** The inputs of a host. */
export interface HostOptions {
  readonly name: string;
  /** The services of this host by name; the transcriber's own is not among them. */
  readonly services: ReadonlyMap<string, Service>;
  /** The hash of each service's file. */
  readonly codes: ReadonlyMap<string, string>;
  readonly store: HostStore;
  /** The machine that a service works on: the same for all, but for a host that only looks. */
  machineOf(service: string): Machine;
  /** The most rows of a service that may be removed within an hour, by the number applied; no limit without it. */
  removalLimit?(service: string, rows: number): number;
  /** True if the last row of a service may go unasked, where there is a limit; false if it is absent. */
  mayEmpty?(service: string): boolean;
  /** The longest wait of a service's changes for hosts of earlier waves, in milliseconds; undefined without any. */
  waveWithin?(service: string): number | undefined;
  /** The interval of full runs of every service, in milliseconds; without it they run only when they have to. */
  readonly fullEvery?: number;
  /** Compares what a daemon has with the rows that are applied, and changes nothing. Without it a `verify` ends with the table. */
  compareDaemon?(service: string, table: Table, signal: AbortSignal): Promise<DaemonCompared>;
  /** Gives the report of this host's transcriber; absent where there is none. */
  transcriber?(): TranscriberReport | undefined;
  /** A run of a service has succeeded. */
  ran?(service: string): void;
  /** Gives the reason to reject a message about rows; undefined to take it. Without it every message is taken. */
  distrust?(body: Uint8Array): string | undefined;
  /** Gives the reason to reject an order of a user of the broker. Without it every order is obeyed. */
  readonly wrongOrderer?: WrongOrderer;
  /** Decides what to do with a message of the stream: `follow` of core/stream/reader.ts by default. */
  readonly follow?: typeof follow;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Connects to the broker; called only after every service has had its first run. */
  connect(): Promise<Broker>;
  log(line: string): void;
}
