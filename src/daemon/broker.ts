import { resolve } from "node:path";
import { rabbitBroker } from "../brokers/rabbitmq/broker.ts";
import { sqliteBroker } from "../brokers/sqlite/broker.ts";
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

  function rabbit({ passwordFile, ca, cert, key, ...settings }: NonNullable<Project["config"]["broker"]>) {
    const files = Object.entries({ passwordFile, ca, cert, key }).flatMap(([option, file]) =>
      file === undefined ? [] : [[option, resolve(folder, file)]],
    );
    const secret = password === undefined ? {} : { password };
    return rabbitBroker({ ...settings, ...Object.fromEntries(files), ...secret, log, clock: systemClock });
  }
}
