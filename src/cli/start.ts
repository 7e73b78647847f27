import { main } from "./main.ts";

/** The longest time for the output to drain, in milliseconds. */
const lastWait = 5000;

/** A secret of the environment, read once: no program that is run from here, by trigger or by a project's code, inherits it. */
function taken(name: string): string | undefined {
  const value = process.env[name];
  delete process.env[name];
  return value;
}

/** Runs the command line of this process: the one place that reads its arguments and environment and ends it. */
export async function start(): Promise<void> {
  const stop = new AbortController();
  const onSignal = (name: string): void => {
    // A second signal ends at once: the state on disk can always be resumed.
    if (stop.signal.aborted) process.exit(130);
    process.stderr.write(`trigger: ${name}: stopping (again to stop at once)\n`);
    stop.abort(new Error(`stopped by ${name}`));
  };
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  // A pipe that is closed early (`trigger status | head`) is no error.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
    throw error;
  });
  process.exitCode = await main(process.argv.slice(2), {
    folder: process.cwd(),
    colour: process.stdout.isTTY === true && !process.env.NO_COLOR,
    signal: stop.signal,
    brokerPassword: taken("TRIGGER_BROKER_PASSWORD"),
    sudoUser: process.env.SUDO_USER,
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
  });
  // An open handle must not keep a process that has ended its work: its supervisor waits for its end.
  setTimeout(() => process.exit(), lastWait).unref();
}
