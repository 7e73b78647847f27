import { hostsOf, knownHost } from "../core/config/config.ts";
import { UserError } from "../core/util/errors.ts";
import type { Project } from "../project/project.ts";

/** The hosts that run a service, or the one of them that is named. Throws a `UserError` for a host that does not run it. */
export function chosenHosts({ config, configFile }: Project, service: string, name?: string): readonly string[] {
  const hosts = hostsOf(config, service);
  if (name === undefined) return hosts;
  if (hosts.includes(knownHost(config, name, configFile))) return [name];
  throw new UserError(`host ${name} does not run ${service}; these do: ${hosts.join(", ")}`);
}
