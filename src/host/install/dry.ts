import { dirname } from "node:path";
import type { Installed, InstallSteps } from "../../core/service/host-api.ts";
import { reason } from "../../core/util/errors.ts";
import { isMine } from "./folder.ts";
import { runStep, type StepContext } from "./step.ts";
import { modeAndOwner, type Target } from "./target.ts";

/**
 * Notes what an install would do, for a machine that changes nothing: the files as they would be, and the reload.
 * Nothing is checked or probed: the staged files and the new content are not there to be looked at.
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
      log(`${path} is ${disk.odd}, which somebody else has put there: it would be replaced`);
      if (disk.stat.kind === "directory") await files.rename(path, `${path}.aside`);
      else await files.remove(path);
    }
    const isFound = disk !== undefined && disk.bytes.length > 0 && !isKnown(path) && !(await isMine(files, path));
    if (isFound) log(`${path} is there, and trigger did not write it: it would be held until it is approved`);
    await files.makeDirectory(dirname(target.path));
    await files.write(target.path, target.bytes, modeAndOwner(target, context.secret));
  }
  try {
    if (steps.reload) await runStep(steps.reload, context);
  } catch (error) {
    log(`the reload looks at what is only noted, and failed: ${reason(error)}`);
  }
  return "applied";
}
