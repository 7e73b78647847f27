import type { Asked, Command, Host, Output, Step } from "../../core/service/host-api.ts";
import { CommandFailed } from "../../core/util/errors.ts";
import type { Machine } from "../../ports/machine.ts";

/** The deadline of a command, in milliseconds: after that it counts as hanging, and its process group is killed. */
export const commandDeadline = 60_000;

export interface StepContext {
  readonly machine: Machine;
  readonly host: Host;
  /** True if the output of commands may hold secrets. */
  readonly secret: boolean;
}

/** Runs a step to its end; throws if it fails. */
export async function runStep(step: Step, { machine, host, secret }: StepContext): Promise<void> {
  if (typeof step === "function") return step(host);
  for (const command of commandsOf(step)) {
    const output = await machine.run(command, { changes: true, signal: host.signal, deadline: commandDeadline });
    if (output.code !== 0) throw failed(command, output, secret);
  }
}

/** The commands of a step that is not a function. */
export const commandsOf = (step: Exclude<Step, (host: Host) => Promise<void>>): readonly Command[] =>
  isCommand(step) ? [step] : step;

const isCommand = (step: Command | readonly Command[]): step is Command => typeof step[0] === "string";

/**
 * The error of a command that did not exit 0: program, code, and the first lines of its output unless they may contain
 * secrets.
 */
export function failed(asked: Asked, output: Output, secret: boolean): CommandFailed {
  const { code, stdout, stderr } = output;
  const program = "socket" in asked ? asked.socket : asked[0];
  if (secret)
    return new CommandFailed(`${program} exited ${code} (its output may contain secrets and is not shown)`, code);
  const said = (stderr.trim() || stdout.trim()).split("\n").slice(0, 8).join("\n").slice(0, 1000);
  return new CommandFailed(`${program} exited ${code}${said ? `: ${said}` : " without any output"}`, code, output);
}
