import type { DatabaseSync } from "node:sqlite";
import type { Host, Installed, InstallFile, InstallSteps } from "../../core/host.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Machine } from "../../ports/machine.ts";
import { runStep } from "./step.ts";

export interface InstallerOptions {
  readonly database: DatabaseSync;
  readonly machine: Machine;
  readonly clock: Clock;
  readonly service: string;
  readonly secret: boolean;
  readonly log: (message: string) => void;
}

/** What became of an install, and whether what is now in force is proved. */
export interface Outcome {
  readonly installed: Installed;
  readonly proved: boolean;
}

export interface Installer {
  install(files: readonly InstallFile[], steps: InstallSteps, host: Host): Promise<Outcome>;
  /** Forgets the failed attempts: a text that was given up is tried again. */
  forgive(): void;
  /** Lets trigger have its way again with the files that it fought over. */
  approve(): void;
}

export function installer({ machine, secret }: InstallerOptions): Installer {
  return {
    async install(files, { reload }, host) {
      for (const { path, text } of files) await machine.files.write(path, text);
      if (reload) await runStep(reload, { machine, host, secret, changes: true });
      return { installed: "loaded", proved: false };
    },
    forgive() {},
    approve() {},
  };
}
