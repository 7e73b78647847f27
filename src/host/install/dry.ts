import { dirname } from "node:path";
import type { Installed, InstallSteps } from "../../core/service/host-api.ts";
import { reason } from "../../core/util/errors.ts";
import { isMine } from "./folder.ts";
import { runStep, type StepContext } from "./step.ts";
import { modeAndOwner, type Target } from "./target.ts";

/**
 * Logs what an install would change, on a machine that changes nothing: the files with their new text, and the reload.
 * It checks and probes nothing: neither the staged files nor the new content exist.
 */
export async function dryInstall(
  targets: readonly Target[],
  steps: InstallSteps,
  context: StepContext,
  { isKnown, log }: { isKnown: (path: string) => boolean; log: (message: string) => void },
): Promise<Installed> {
  const { files } = context.machine;
  const differing = targets.filter(({ hash, disk }) => hash !== (disk?.hash ?? null));
  if (differing.length === 0) return "unchanged";
  for (const target of differing) {
    const { path, disk } = target;
    if (target.hash === null) {
      if (disk?.stat.kind === "directory") await files.rename(path, `${path}.aside`);
      else await files.remove(path);
      continue;
    }
    if (disk?.odd !== undefined) {
      log(`${path} is ${disk.odd}, put there by another user: it would be replaced`);
      if (disk.stat.kind === "directory") await files.rename(path, `${path}.aside`);
      else await files.remove(path);
    }
    const isFound = disk !== undefined && !isKnown(path) && !(await isMine(files, path));
    if (isFound)
      log(`${path} exists, but trigger did not write it: it would be held until its replacement is approved`);
    await files.makeDirectory(dirname(target.path));
    await files.write(target.path, target.bytes, modeAndOwner(target, context.secret));
  }
  try {
    if (steps.reload) await runStep(steps.reload, context);
  } catch (error) {
    log(`the reload depends on changes that a dry run only records, and failed: ${reason(error)}`);
  }
  return "applied";
}
