import { compare, type Reported } from "./compare.ts";
import type { Network } from "./network.ts";
import type { Writer } from "./writer.ts";

/** The result of waiting for the end of all work. */
export interface Calm {
  /** The time until all was equal, in milliseconds. */
  readonly after: number;
  /** The differences that remained at the end of the wait; none if all is well. */
  readonly differences: readonly string[];
}

interface Status {
  readonly hosts: readonly { readonly host: string; readonly services: Readonly<Record<string, Reported>> }[];
}

/** Approves held removals, as an administrator who has looked at them would. */
export interface Administrator {
  /** The number of approvals. */
  readonly approvals: number;
  /** Reads the state of the network: the output of `trigger status` and its exit code. */
  look(): Promise<{
    readonly code: number;
    readonly said: string;
    reported(host: string, service: string): Reported | undefined;
  }>;
}

export function administrator({ project }: Network): Administrator {
  const approved = new Set<string>();
  return {
    get approvals() {
      return approved.size;
    },
    async look() {
      const { code, out, err } = await project.trigger(["status", "--json"]);
      if (!out.startsWith("{")) return { code: code ?? 2, said: err, reported: () => undefined };
      const { hosts } = JSON.parse(out) as Status;
      for (const { host, services } of hosts) {
        for (const [service, { removals }] of Object.entries(services)) {
          if (!removals) continue;
          const words = ["approve", service, removals.digest, "--host", host];
          if ((await project.trigger(words)).code === 0) approved.add(words.join(" "));
        }
      }
      const reported = (host: string, service: string): Reported | undefined =>
        hosts.find((one) => one.host === host)?.services[service];
      return { code: code ?? 2, said: out, reported };
    },
  };
}

/** Waits until `trigger status` exits with 0 and all served lines equal those that the directory demands. */
export async function calm(
  network: Network,
  writer: Writer,
  admin: Administrator,
  { within, signal }: { readonly within: number; readonly signal: AbortSignal },
): Promise<Calm> {
  const start = performance.now();
  for (let differences: string[] = []; ; ) {
    network.processes.lookAfter();
    const { code, reported } = await admin.look();
    differences = await compare(network, writer, reported);
    if (code !== 0)
      differences.push(`trigger status ends with ${code}:\n${(await network.project.trigger(["status"])).out}`);
    const after = performance.now() - start;
    if (differences.length === 0 || after > within || signal.aborted) return { after, differences };
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
}
