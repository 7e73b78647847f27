import { join } from "node:path";
import { readConfig } from "../../src/core/config/config.ts";
import type { Project } from "../../src/project/project.ts";
import { initial } from "./expected.ts";

/** The host of the stores, which also transcribes. */
export const hostName = "a";

/** The plain services of the host; the others have a table. */
export const plainServices = ["notes", "stubborn"];

/** The project of a state folder, without a service `left`: the config gives it to the host no more. */
export function projectOf(state: string): Project {
  const services = [...Object.keys(initial), ...plainServices].filter((name) => name !== "left");
  const config = { hosts: { [hostName]: [...services, "event"], b: ["many"] } };
  return {
    ...{ folder: state, state, configFile: join(state, "trigger.config.ts"), ldifFile: "" },
    config: readConfig(config, "trigger.config.ts"),
  };
}
