/** The API of the host, for a service's `run` and a plain handler. */

/** A program and its arguments; no shell is involved. */
export type Command = readonly [program: string, ...arguments: string[]];

/** The control socket of a daemon (unix): the input is written to it, and the answer is read until the daemon closes it. */
export interface Socket {
  /** Absolute path. */
  readonly socket: string;
}

/** The recipient of a question or an order: a program, or a daemon through its socket. */
export type Asked = Command | Socket;

/** The options of `host.ask` and `host.tell`. */
export interface AskOptions {
  /** The standard input, or the text for the socket. */
  readonly input?: string;
  /** The time limit in milliseconds; 60,000 by default. */
  readonly deadline?: number;
  /** Lines without secrets that describe the change, for commands that do not show it themselves. */
  readonly shown?: readonly string[];
}

/**
 * A step of an install: a command that must exit 0, a list of such commands in order, or a function that throws on
 * failure. `{staged}` in a command stands for the staged file.
 */
export type Step = Command | readonly Command[] | ((host: Host) => Promise<void>);

/** A user of the machine and the user's group, by number. */
export interface User {
  /** The number of the user. */
  readonly uid: number;
  /** The number of the group. */
  readonly gid: number;
}

/**
 * A check that runs with the rights of the daemon's user, for a checker that executes what its files name. Its working
 * directory contains only copies, owned by root and readable by the user; `{staged}` is a name there. If trigger is not
 * root, the check runs as trigger's own user.
 */
export interface CheckAs {
  /** The checker. */
  readonly command: Command;
  /** The user with whose rights the checker runs. */
  readonly user: User;
  /** Further files for that folder, by name. */
  readonly beside?: Readonly<Record<string, string>>;
}

/** The output of a command, or the answer of a socket in `stdout`. */
export interface Output {
  /** The exit code. */
  readonly code: number;
  /** The standard output. */
  readonly stdout: string;
  /** The standard error. */
  readonly stderr: string;
}

/** A file to install. */
export interface InstallFile {
  /** Absolute path; a symlink is resolved first. */
  readonly path: string;
  /** The whole content. */
  readonly text: string;
  /** A configuration that includes `path`: the check reads a copy of it, with the staged file in place of `path`. */
  readonly within?: string;
  /**
   * Permission bits of a new file, 0o644 by default (0o600 if the service has secret columns). An existing file keeps
   * its own.
   */
  readonly mode?: number;
  /** Owner of a new file; the user of trigger by default. An existing file keeps its own. */
  readonly owner?: User;
}

/** The steps of an install beside writing. */
export interface InstallSteps {
  /**
   * Runs on the staged files before any file is replaced. With several files, `{staged}` is the first and
   * `{staged:PATH}` that of PATH. In a folder that other users may write, a command runs with the rights of that user, in
   * a folder of copies.
   */
  readonly check?: Step | CheckAs;
  /** Makes the daemon read the new files. */
  readonly reload?: Step;
  /**
   * True if these are all files of this service: other files that it installed before are removed. False by default.
   */
  readonly all?: boolean;
  /** Verifies that the daemon serves this very content (a serial, a changed key), not only that it runs. */
  readonly probe?: Step;
}

/** The result of an install: nothing to do, replaced and reloaded, or probed as well. */
export type Installed = "unchanged" | "applied" | "serving";

/** The host on which a service runs. */
export interface Host {
  /** The name of the host in the config. */
  readonly name: string;
  /** The name of the service that runs. */
  readonly service: string;
  /** True if orders are only recorded, as by `trigger up --dry`; an answer of `tell` is then empty. */
  readonly dry: boolean;
  /** Aborts when the run must end: its deadline has passed, or the process stops. */
  readonly signal: AbortSignal;
  /**
   * Installs `files` as one transaction. Each is staged and checked. Copies of the last good ones are kept, the files
   * replaced, and the daemon reloaded and probed, as `steps` says.
   *
   * @throws an `Outcome` if the files are not activated.
   */
  install(files: InstallFile | readonly InstallFile[], steps?: InstallSteps): Promise<Installed>;
  /**
   * Runs a command or queries a socket, only to read; a dry run does so, too.
   *
   * @throws `CommandFailed` for an exit code other than 0, `Away` for no answer.
   */
  ask(asked: Asked, options?: AskOptions): Promise<Output>;
  /**
   * Runs a command or writes to a socket, to change something; a dry run only records it.
   *
   * @throws `CommandFailed` for an exit code other than 0, `Away` for no answer.
   */
  tell(asked: Asked, options?: AskOptions): Promise<Output>;
  /** The file system of the machine; in a dry run changes stay in memory. */
  readonly files: Files;
  /** Notes for later runs; durable when the run succeeds. */
  readonly memory: Memory;
  /** This service's own records in a daemon to which others write, too. */
  readonly owned: Owned;
  /** Logs `message`, with the names of host and service. */
  log(message: string): void;
}

/**
 * A service's own records, by name, in a daemon to which others write, too. Changes are durable at once: a name that is
 * claimed before its record is written stays ours, even if the run fails.
 */
export interface Owned {
  /**
   * True if the record `name` is ours. A released name is ours if `record` is the last one that we had there, as after
   * a restored backup. A name that a person let us take over is ours if `record` is still the one that was shown.
   */
  has(name: string, record: string): boolean;
  /** All names that are ours. */
  names(): Iterable<string>;
  /** Makes `names` ours, before they are written. */
  claim(names: Iterable<string>): void;
  /** Releases `records` that the daemon no longer has: each a name with its last record. */
  release(records: Iterable<readonly [name: string, record: string]>): void;
  /**
   * Reports `found`: foreign records that conflict with ours. `trigger approve` with the digest of all of them takes
   * over each in its present state. From then on `has` is true for this very record. A name reported without a record
   * is then ours with any record.
   */
  hold(found: Iterable<readonly [name: string, record?: string]>): void;
}

/** The small durable notes of a service: texts by name. */
export interface Memory {
  /** The text under `name`, or undefined. */
  get(name: string): string | undefined;
  /** Sets the text under `name` to `text`. */
  set(name: string, text: string): void;
}

/** The state of a path (stat(2)). */
export interface Stat {
  /** The kind of the file. */
  readonly kind: "file" | "directory" | "symlink" | "other";
  /** Permission bits. */
  readonly mode: number;
  /** The number of the owner. */
  readonly uid: number;
  /** The number of the group. */
  readonly gid: number;
  /** Size in bytes. */
  readonly size: number;
}

/** The file operations of a machine. Nothing is durable before `sync`. */
export interface Files {
  /** The state of `path`, without following a symlink at its end; undefined if nothing is there. */
  stat(path: string): Promise<Stat | undefined>;
  /** The content of the file at `path`, or undefined. */
  read(path: string): Promise<Uint8Array | undefined>;
  /** The names in the directory at `path`, sorted; none if it does not exist. */
  list(path: string): Promise<string[]>;
  /** The text of the symlink at `path` (readlink(2)); undefined for anything else. */
  readLink(path: string): Promise<string | undefined>;
  /** The form of `path` without symlinks; a last name that does not exist stays as it is. */
  resolve(path: string): Promise<string>;
  /** Creates or truncates the file at `path`, writes `bytes`, and gives it mode and owner of `options`. */
  write(
    path: string,
    bytes: Uint8Array | string,
    options?: { mode?: number; uid?: number; gid?: number },
  ): Promise<void>;
  /** Creates the directory at `path` and its missing parents, with mode and owner of `options`. */
  makeDirectory(path: string, options?: { mode?: number; uid?: number; gid?: number }): Promise<void>;
  /** Gives the file at `path` the permission bits `mode`. */
  chmod(path: string, mode: number): Promise<void>;
  /** Gives `path` the owner `uid` and the group `gid`; a symlink itself, rather than its target. */
  chown(path: string, uid: number, gid: number): Promise<void>;
  /** Makes `to` another name of the file at `from` (link(2)). */
  link(from: string, to: string): Promise<void>;
  /** Moves `from` to `to`, in place of a file there (rename(2)). */
  rename(from: string, to: string): Promise<void>;
  /** Removes the file or empty directory at `path`, if there is one. */
  remove(path: string): Promise<void>;
  /** Makes the content of a file at `path`, or the names of a directory, outlive a power cut (fsync(2)). */
  sync(path: string): Promise<void>;
}
