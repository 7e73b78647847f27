import { join } from "node:path";
import type { HostOptions } from "../host/options.ts";
import { serviceReport } from "../host/report/report.ts";
import type { HostStore } from "../host/store/host-store.ts";
import { type DryMachine, dryMachine, type Noted } from "../machines/dry.ts";
import { realMachine } from "../machines/real.ts";
import type { Machine } from "../ports/machine.ts";
import type { Project, Services } from "../project/project.ts";

export type { Noted };

/** The result of one run of a dry host. */
export interface DryRun {
  /** The changes that the run would have made. */
  readonly noted: Noted;
  /** True if the service has secret columns, so that no content may be shown. */
  readonly secret: boolean;
  /** The rows that would not be applied, with the reason: the first hundred. */
  readonly retained: readonly { readonly key: string; readonly why: string }[];
  readonly retainedCount: number;
}

/** Options of dry hosts: they follow and render, show the changes they would make, and write nothing except a state of their own. */
export interface DryOptions {
  /** Takes the result of each run that differs from the one before. */
  show(host: string, service: string, run: DryRun): void;
}

/** The interval at which a dry host compares everything again, in milliseconds: the machine below may change. */
const compareEvery = 60_000;

/** The project of dry hosts: with a state of its own, and a broker of its own within it. */
export const dryProject = (project: Project): Project => ({
  ...project,
  config: { ...project.config, broker: undefined, signing: undefined, waves: {} },
  state: join(project.state, "dry"),
});

/** The machines of a dry host, one per service. Each new result of a run is shown. */
export function dryMachines(
  host: string,
  services: Services["services"],
  store: HostStore,
  { show }: DryOptions,
): Pick<HostOptions, "machineOf" | "fullEvery" | "ran"> {
  const machines = new Map([...services.keys()].map((service) => [service, renewedMachine(realMachine())]));
  const shown = new Map<string, string>();
  return {
    machineOf: (service) => machines.get(service)?.machine ?? dryMachine(realMachine()),
    fullEvery: compareEvery,
    ran(service) {
      const noted = machines.get(service)?.take();
      const { refused, refusedCount } = serviceReport(store.service(service));
      const retained = refused.map(({ key, why }) => ({ key, why }));
      const text = JSON.stringify([noted, retained, refusedCount]);
      if (!noted || shown.get(service) === text) return;
      shown.set(service, text);
      const definition = services.get(service);
      const secret = definition && "table" in definition ? (definition.table.secret ?? []).length > 0 : false;
      show(host, service, { noted, secret, retained, retainedCount: refusedCount });
    },
  };
}

/** A dry machine that starts from the base again after each run. */
interface RenewedMachine {
  readonly machine: Machine;
  /** Returns the changes of the run that has ended, and forgets them. */
  take(): Noted;
}

function renewedMachine(base: Machine): RenewedMachine {
  let dry: DryMachine = dryMachine(base);
  return {
    machine: {
      dry: true,
      scratch: base.scratch,
      kept: base.kept,
      get files() {
        return dry.files;
      },
      run: (command, options) => dry.run(command, options),
      incarnation: (daemon) => dry.incarnation(daemon),
    },
    take() {
      const noted = dry.noted();
      dry = dryMachine(base);
      return noted;
    },
  };
}
