import { resolve } from "node:path";
import { rabbitBroker } from "../brokers/rabbitmq/broker.ts";
import { readAddresses } from "../brokers/rabbitmq/credentials.ts";
import { sqliteBroker } from "../brokers/sqlite/broker.ts";
import type { BrokerConfig } from "../core/broker-config.ts";
import type { Broker } from "../ports/broker.ts";
import type { Project } from "../project/project.ts";
import { systemClock } from "./clock.ts";
import { brokerFile } from "./store-file.ts";

export interface ConnectOptions {
  log?(line: string): void;
  /** The password of RabbitMQ, where the environment gives one. */
  readonly password?: string | undefined;
}

/** Connects to the project's broker, for as long as the scope that holds it: RabbitMQ where the config names one, otherwise the file of this machine. */
export async function connectBroker(
  { config, folder, state }: Pick<Project, "config" | "folder" | "state">,
  { log = () => {}, password }: ConnectOptions = {},
): Promise<Broker & AsyncDisposable> {
  const broker = config.broker ? await rabbit(config.broker) : await sqliteBroker(brokerFile(state), { log });
  return Object.assign(broker, { [Symbol.asyncDispose]: () => broker.close() });

  function rabbit(settings: BrokerConfig) {
    return rabbitBroker({ ...addressOf(settings, folder, password), log, clock: systemClock });
  }
}

/** Reads every file that the config's broker names, the password's among them; what cannot be read is an error that names it. */
export function readBrokerFiles({ config, folder }: Pick<Project, "config" | "folder">, password?: string): void {
  if (!config.broker) return;
  for (const target of readAddresses(addressOf(config.broker, folder, password))) target.secrets();
}

/** The settings of the broker with absolute paths. */
function addressOf({ passwordFile, ca, cert, key, ...settings }: BrokerConfig, folder: string, password?: string) {
  const files = Object.entries({ passwordFile, ca, cert, key }).flatMap(([option, file]) =>
    file === undefined ? [] : [[option, resolve(folder, file)]],
  );
  return { ...settings, ...Object.fromEntries(files), ...(password === undefined ? {} : { password }) };
}
