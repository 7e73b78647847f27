import { resolve } from "node:path";
import { type HostPlan, makePlan, type ServicePlan } from "../operations/plan.ts";
import { openProject } from "../project/project.ts";
import { type Command, projectOption } from "./command.ts";
import { notedLines } from "./noted.ts";
import type { Screen } from "./screen.ts";

/** Shows the changes that a new directory would make, before it is the directory. */
export const plan: Command = {
  name: "plan",
  summary: "the changes that a new LDIF, or LDIF change records, would make on every host; writes nothing",
  operands: ["FILE.ldif"],
  options: projectOption,
  more: `Each service is run twice on a dry machine without files: with the directory as it is and as it would be. The differences
of the files that it would install are shown, and the commands that it would run. No program is run, so nothing is
checked. Without entryUUID in the LDIF an entry is known by its DN: a rename is then a removal and an addition.

Exit codes
  0  nothing would change
  1  something would change
  2  a service would fail, or the file cannot be read`,
  async run({ operands: [file = ""], text }, screen) {
    const project = await openProject(text("project") ?? screen.folder);
    const { services, hosts } = await makePlan(project, resolve(screen.folder, file), Date.now());
    for (const service of services) screen.lines(serviceLines(service));
    for (const host of hosts) screen.lines(hostLines(host, screen));
    if (hosts.some(({ failed }) => failed !== undefined)) return 2;
    return services.some(({ added, changed, removed, refused }) => added + changed + removed + refused.length > 0)
      ? 1
      : 0;
  },
};

function serviceLines({ service, added, changed, removed, refused }: ServicePlan): string[] {
  const lines = [`${service}: ${added} added, ${changed} changed, ${removed} removed, ${refused.length} newly refused`];
  lines.push(...refused.map(({ dn, why }) => `  would be refused: ${dn}: ${why}`));
  return lines;
}

function hostLines({ host, service, secret, noted, failed }: HostPlan, screen: Screen): string[] {
  const lines = ["", `${host}: ${service}`, ...notedLines(noted, secret, screen)];
  if (failed !== undefined) lines.push(`would fail: ${failed}`);
  return lines;
}
