import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Command, Host } from "../../core/host.ts";
import { Away, CommandFailed } from "../../core/outcome.ts";
import { probeName } from "./columns.ts";
import { serialForm, serialIn } from "./users.ts";

/** FreeRADIUS as one drives it: checked by `freeradius -C`, told by `radmin`, seen by `radclient`. */

export interface RadiusPlace {
  /** The users file. */
  readonly path: string;
  /** The server's own configuration: its dictionary is the one that the check reads. */
  readonly config: string;
  /** The instance of the files module. */
  readonly module: string;
  /** The server's control socket. */
  readonly socket: string;
  readonly probe: { readonly server: string; readonly port: number; readonly secretFile: string } | false;
}

/** A command that takes longer, in milliseconds, has met a server that hangs. */
const patience = { deadline: 5000 };

/**
 * FreeRADIUS ignores a HUP that comes in the third second after the last one or sooner, and after its own start, and says that all is well (`module_hup_module`).
 * So it is told again, so often and so far apart (milliseconds), until it serves what it was to read.
 */
const attempts = 9;
const interval = 400;

export function radiusDaemon(host: Host, { path, config, module, socket, probe }: RadiusPlace) {
  const folder = join(dirname(path), ".trigger-check");
  const log = join(folder, "log");
  const textOf = async (file: string): Promise<string> => new TextDecoder().decode(await host.files.read(file));

  /** Why it cannot be told anything now; undefined when it answers. */
  async function away(): Promise<Away | undefined> {
    try {
      await host.ask(["radmin", "-f", socket, "-e", "show uptime"], patience);
      return undefined;
    } catch (error) {
      host.signal.throwIfAborted();
      return new Away(`FreeRADIUS does not answer at ${socket}`, { cause: error });
    }
  }

  /** Has the file read again. */
  async function reload(): Promise<void> {
    for (let attempt = 1; attempt <= attempts; attempt++) {
      const missing = await away();
      if (missing) throw missing;
      await hup();
      if (host.dry) return;
      // Without a probe nothing shows whether it was heard; of two that are so far apart at least one is.
      if (probe ? await serves() : attempt > 1) return;
      if (attempt < attempts) await sleep(probe ? interval : 3100, undefined, { signal: host.signal });
    }
  }

  async function hup(): Promise<void> {
    try {
      await host.tell(["radmin", "-f", socket, "-e", `hup ${module}`], patience);
    } catch (error) {
      throw new Error(`FreeRADIUS did not reload its module ${module}: its log says why`, { cause: error });
    }
  }

  const serves = async (): Promise<boolean> => (await served()) === serialIn(await textOf(path));

  /** The serial of the content that the server answers with. */
  async function served(): Promise<string | undefined> {
    if (!probe) return undefined;
    const { server, port, secretFile } = probe;
    const at = `${server.includes(":") ? `[${server}]` : server}:${port}`;
    const input = `User-Name = '${probeName}', User-Password = 'serial', Response-Packet-Type = Access-Challenge\n`;
    try {
      const command: Command = ["radclient", "-x", "-r", "1", "-t", "3", "-S", secretFile, at, "auth"];
      const { stdout } = await host.ask(command, { ...patience, input });
      return serialForm.exec(stdout.slice(stdout.indexOf("Received ")))?.[0];
    } catch (error) {
      // It was asked, and there was no answer, or another one.
      if (error instanceof CommandFailed && error.code === 1) return undefined;
      throw error;
    }
  }

  return {
    away,
    reload,
    /** The text in place. */
    inPlace: () => textOf(path),
    /** Throws unless the server serves the text in place. */
    async prove(): Promise<void> {
      const [seen, expected] = [await served(), serialIn(await textOf(path))];
      if (seen === expected) return;
      const found = seen ? `the content ${seen}` : `nothing that answers for ${probeName}`;
      throw new Error(
        `${path} is the content ${expected}, and FreeRADIUS serves ${found}: is ${path} the file of its module ${module}, and its secret in ${probe ? probe.secretFile : ""}?`,
      );
    },
    /**
     * Makes a configuration of the staged file alone and gives the check of it. The server's own one would open its databases, and read the file that is in place.
     */
    async checking(): Promise<Command> {
      await host.files.makeDirectory(folder, { mode: 0o700 });
      const dictionary = join(config, "dictionary");
      const parts = new Map([["radiusd.conf", checkConfig]]);
      if (await host.files.stat(dictionary)) parts.set("dictionary", `$INCLUDE ${dictionary}\n`);
      for (const [name, text] of parts) {
        if ((await textOf(join(folder, name))) !== text) await host.files.write(join(folder, name), text);
      }
      await host.files.remove(log);
      return ["env", "TRIGGER_STAGED={staged}", "freeradius", "-C", "-d", folder, "-l", log];
    },
    /** The line that the last check did not take, and why. */
    async refusedLine(): Promise<{ line: number; why: string } | undefined> {
      const [, line, why = ""] = /Error: (?!.*radiusd\.conf).*\[(\d+)\]: (.*)$/m.exec(await textOf(log)) ?? [];
      return line === undefined ? undefined : { line: Number(line), why };
    },
  };
}

const checkConfig = `modules {
	files {
		filename = $ENV{TRIGGER_STAGED}
	}
}
server check {
	listen {
		type = auth
		ipaddr = 127.0.0.1
		port = 1812
	}
	authorize {
		files
	}
}
`;
