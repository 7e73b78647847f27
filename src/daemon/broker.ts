import { sqliteBroker } from "../brokers/sqlite/broker.ts";
import type { Broker } from "../ports/broker.ts";
import type { Project } from "../project/project.ts";
import { brokerFile } from "./store-file.ts";

/** Connects to the project's broker, for as long as the scope that holds it. */
export async function connectBroker(
  project: Project,
  log: (line: string) => void = () => {},
): Promise<Broker & AsyncDisposable> {
  const broker = await sqliteBroker(brokerFile(project.state), { log });
  return Object.assign(broker, { [Symbol.asyncDispose]: () => broker.close() });
}
