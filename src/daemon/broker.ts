import { resolve } from "node:path";
import { rabbitBroker } from "../brokers/rabbitmq/broker.ts";
import { type Address, readAddresses } from "../brokers/rabbitmq/credentials.ts";
import { sqliteBroker } from "../brokers/sqlite/broker.ts";
import type { BrokerConfig } from "../core/config/broker-config.ts";
import { namesItself } from "../core/config/senders.ts";
import type { Broker } from "../ports/broker.ts";
import type { Project } from "../project/project.ts";
import { systemClock } from "./clock.ts";
import { readFile } from "./read-file.ts";
import { brokerFile } from "./store-file.ts";

/** Options of a connection to the broker. */
export interface ConnectOptions {
  log?(line: string): void;
  /** The password of RabbitMQ from the environment, if any. */
  readonly password?: string | undefined;
}

/** Connects to the project's broker until the end of the scope: RabbitMQ if the config names one, otherwise the file of this machine. */
export async function connectBroker(
  { config, folder, state }: Pick<Project, "config" | "folder" | "state">,
  { log = () => {}, password }: ConnectOptions = {},
): Promise<Broker & AsyncDisposable> {
  const broker = config.broker ? await rabbit(config.broker) : await sqliteBroker(brokerFile(state), { log });
  return Object.assign(broker, { [Symbol.asyncDispose]: () => broker.close() });

  function rabbit(settings: BrokerConfig) {
    const names = (user: string): boolean => namesItself(config, user);
    return rabbitBroker({ ...addressOf(settings, folder, password), namesItself: names, log, clock: systemClock });
  }
}

/** Reads every file that the config's broker names, with the password's. Throws an error that names the file that cannot be read. */
export function readBrokerFiles({ config, folder }: Pick<Project, "config" | "folder">, password?: string): void {
  if (!config.broker) return;
  for (const target of readAddresses(addressOf(config.broker, folder, password))) target.secrets();
}

/** The settings of the broker; its files are read when they are needed. A password that is given takes the place of its file. */
export function addressOf(
  { passwordFile, ca, cert, key, ...settings }: BrokerConfig,
  folder: string,
  password?: string,
): Omit<BrokerConfig, "passwordFile" | "ca" | "cert" | "key"> & Address {
  const read = (option: string, file: string | undefined): Buffer | undefined =>
    file === undefined ? undefined : readFile(resolve(folder, file), `broker.${option}`);
  return {
    ...settings,
    ...(password === undefined ? {} : { password }),
    files: () => ({
      password: password === undefined ? read("passwordFile", passwordFile) : undefined,
      ...{ ca: read("ca", ca), cert: read("cert", cert), key: read("key", key) },
    }),
  };
}
