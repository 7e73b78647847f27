import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { CheckAs, Command, Host, User } from "../../core/service/host-api.ts";
import { Away, CommandFailed } from "../../core/util/errors.ts";
import { asUser } from "../as-user.ts";
import { probeName } from "./columns.ts";
import { serialForm, serialIn } from "./users.ts";

/** The FreeRADIUS daemon: checked by `freeradius -C`, commanded by `radmin`, probed by `radclient`. */

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

/** The deadline of a command, in milliseconds: a command that takes longer has met a server that hangs. */
const limits = { deadline: 5000 };

/**
 * The number of HUPs, and the interval between them in milliseconds. FreeRADIUS ignores a HUP within three seconds
 * after the last one or after its own start, and reports success (`module_hup_module`). So it is sent again until the
 * new content is served.
 */
const attempts = 9;
const interval = 400;

export function radiusDaemon(host: Host, { path, config, module, socket, probe }: RadiusPlace) {
  const textOf = async (file: string): Promise<string> => new TextDecoder().decode(await host.files.read(file));

  /** The reason why the server cannot be reached now; undefined if it answers. */
  async function away(): Promise<Away | undefined> {
    try {
      await host.ask(["radmin", "-f", socket, "-e", "show uptime"], limits);
      return undefined;
    } catch (error) {
      host.signal.throwIfAborted();
      return new Away(`FreeRADIUS does not answer at ${socket}`, { cause: error });
    }
  }

  /** Makes the server read the file again. */
  async function reload(): Promise<void> {
    for (let attempt = 1; attempt <= attempts; attempt++) {
      const missing = await away();
      if (missing) throw missing;
      await hup();
      if (host.dry) return;
      // Without a probe no answer shows if a HUP took effect; of two at this interval at least one does.
      if (probe ? await serves() : attempt > 1) return;
      if (attempt < attempts) await sleep(probe ? interval : 3100, undefined, { signal: host.signal });
    }
  }

  async function hup(): Promise<void> {
    try {
      await host.tell(["radmin", "-f", socket, "-e", `hup ${module}`], limits);
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
      // The daemon's user may put a link in place of root's file.
      const found = await host.files.stat(secretFile);
      const isRoots = found?.kind === "file" && found.uid === 0;
      const asked = isRoots ? command : asUser(command, await user());
      const { stdout } = await host.ask(asked, { ...limits, input });
      return serialForm.exec(stdout.slice(stdout.indexOf("Received ")))?.[0];
    } catch (error) {
      // The server gave no answer, or another one.
      if (error instanceof CommandFailed && error.code === 1) return undefined;
      throw error;
    }
  }

  return {
    away,
    reload,
    /** The installed text. */
    inPlace: () => textOf(path),
    /** Throws unless the server serves the installed text. */
    async verify(): Promise<void> {
      const [seen, expected] = [await served(), serialIn(await textOf(path))];
      if (seen === expected) return;
      const found = seen ? `the content ${seen}` : `nothing that answers for ${probeName}`;
      throw new Error(
        `${path} has the content ${expected}, and FreeRADIUS serves ${found}: does its module ${module} read ${path}, and does ${probe ? probe.secretFile : ""} have its secret?`,
      );
    },
    /**
     * The check of a configuration that has the staged file alone.
     * The server's own configuration would open its databases, and read the installed file.
     * The check runs as the daemon's user, who may write the dictionary: root must not load modules that this user may change.
     */
    async checking(): Promise<CheckAs> {
      const dictionary = join(config, "dictionary");
      const beside: Record<string, string> = { "radiusd.conf": checkConfig };
      if (await host.files.stat(dictionary)) beside.dictionary = `$INCLUDE ${dictionary}\n`;
      return {
        command: ["env", "TRIGGER_STAGED={staged}", "freeradius", "-C", "-d", ".", "-l", "stdout"],
        user: await user(),
        beside,
      };
    },
  };

  /** The daemon's user: the owner of the first of its folders that is not root's. If only the group differs, `nobody` with that group. */
  async function user(): Promise<User> {
    const places = [dirname(await host.files.resolve(path)), config, join(config, "dictionary")];
    const owners = await Promise.all(places.map((place) => host.files.stat(place)));
    const { uid, gid } = owners.find((owner) => owner !== undefined && owner.uid + owner.gid > 0) ?? { uid: 0, gid: 0 };
    return { uid: uid === 0 && gid !== 0 ? nobody : uid, gid };
  }
}

/** The line that a check refused, and the reason, read from its output. */
export function refusedLine(error: unknown): { line: number; why: string } | undefined {
  if (!(error instanceof Error)) return undefined;
  if (!(error instanceof CommandFailed)) return refusedLine(error.cause);
  const [, line, why = ""] = /Error: (?!.*radiusd\.conf).*\[(\d+)\]: (.*)$/m.exec(error.stdout) ?? [];
  return line === undefined ? undefined : { line: Number(line), why };
}

/** Debian's uid of the user `nobody`, which owns no file. */
const nobody = 65_534;

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
