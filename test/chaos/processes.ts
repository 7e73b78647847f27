import type { Running, TestProject } from "../project.ts";

/** The processes of the hosts, watched over as systemd would: one that ends by itself is started again a second later. */
export interface Processes {
  start(host: string): void;
  kill9(host: string): Promise<void>;
  /** Lets it stand still, or go on. */
  pause(host: string, stopped: boolean): void;
  /** Starts again who ended without being told to. */
  lookAfter(): void;
  /** The last words of those that ended by themselves. */
  readonly ended: readonly string[];
  /** All that a host has said. */
  said(host: string): string;
  readonly hosts: readonly string[];
}

const restartAfter = 1_000;

export function processes(project: TestProject, hosts: readonly string[]): Processes {
  const running = new Map<string, Running>();
  const former = new Map<string, string>();
  const endedAt = new Map<string, number>();
  const ended: string[] = [];
  const said = (host: string): string => `${former.get(host) ?? ""}${running.get(host)?.said() ?? ""}`;
  function start(host: string): void {
    if (running.has(host)) return;
    running.set(host, project.spawn(["up", "--host", host], { env: { ...process.env, MACHINE: host } }));
  }
  function forget(host: string, how: string): void {
    former.set(host, `${said(host)}--- ${how}\n`);
    running.delete(host);
  }
  return {
    ...{ hosts, start, said, ended },
    async kill9(host) {
      await running.get(host)?.end("SIGKILL");
      forget(host, "killed");
    },
    pause: (host, stopped) => void running.get(host)?.child.kill(stopped ? "SIGSTOP" : "SIGCONT"),
    lookAfter() {
      for (const [host, one] of running) {
        if (!one.over()) continue;
        ended.push(`${host}: ${one.said().trim().split("\n").slice(-2).join(" | ")}`);
        forget(host, "ended by itself");
        endedAt.set(host, performance.now());
      }
      for (const [host, at] of endedAt) {
        if (performance.now() < at + restartAfter) continue;
        endedAt.delete(host);
        start(host);
      }
    },
  };
}
