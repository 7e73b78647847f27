/** The words that a service's `run` and a plain handler have on their host. */

/** A program and its arguments; no shell is involved. */
export type Command = readonly [program: string, ...arguments: string[]];

/** The control socket of a daemon (unix): what is asked is written to it, and what comes until the daemon closes it is the answer. */
export interface Socket {
  /** Absolute path. */
  readonly socket: string;
}

/** What may be asked or told: a program, or a daemon through its socket. */
export type Asked = Command | Socket;

export interface AskOptions {
  /** Standard input, or what is written to the socket. */
  readonly input?: string;
  /** Milliseconds until it is given up; 60,000 by default. */
  readonly deadline?: number;
  /** What it changes, in lines without a secret: for those who only look, where the command does not say it. */
  readonly shown?: readonly string[];
}

/** A step of an install: a command that must exit 0, several that all must, in order, or a function that throws when it fails. `{staged}` in a command is the staged file. */
export type Step = Command | readonly Command[] | ((host: Host) => Promise<void>);

/** A user of the machine and the user's group, by number. */
export interface User {
  readonly uid: number;
  readonly gid: number;
}

/**
 * A check that runs with the rights of the daemon's user, for a checker that runs what its files name. Its current folder has copies
 * that root owns and the user can read, and nothing else; `{staged}` is a name there. Where trigger is not root it runs as itself.
 */
export interface CheckAs {
  readonly command: Command;
  readonly user: User;
  /** Further files for that folder, by name. */
  readonly beside?: Readonly<Record<string, string>>;
}

export interface Output {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A file to install. */
export interface InstallFile {
  /** Absolute path; a symlink is resolved first. */
  readonly path: string;
  readonly text: string;
  /** A configuration that includes `path`: the check then sees a copy of it with the staged file in the place of `path`. */
  readonly within?: string;
  /** Permission bits of a file that did not exist, 0o644 by default (0o600 when the service has secret columns). An existing file keeps its own. */
  readonly mode?: number;
  /** Owner of a file that did not exist, where whoever runs trigger is not to be it. An existing file keeps its own. */
  readonly owner?: User;
}

export interface InstallSteps {
  /** Run on the staged files before anything is replaced. With several files, `{staged}` is the first and `{staged:PATH}` that of PATH. */
  readonly check?: Step | CheckAs;
  /** Makes the daemon read the new files. */
  readonly reload?: Step;
  /** The files are all of this service: one that it installed before and that is not among them is removed. False by default. */
  readonly all?: boolean;
  /** Proves that the daemon serves this very content (a serial, a changed key), not only that it lives. */
  readonly probe?: Step;
}

/** What became of an install. */
export type Installed = "unchanged" | "loaded" | "proved";

export interface Host {
  readonly name: string;
  /** The name of the service that runs. */
  readonly service: string;
  /** What is told is only noted: it cannot be asked back. */
  readonly dry: boolean;
  /** Aborted when the run must end: its deadline has passed or the process stops. */
  readonly signal: AbortSignal;
  /** Puts files in force as one transaction: stage, check, keep the last good ones, replace, reload, probe. Throws when they are not in force. */
  install(files: InstallFile | readonly InstallFile[], steps?: InstallSteps): Promise<Installed>;
  /** Runs a command that only reads; also when dry. A non-zero exit throws with what it said; a socket where nobody answers throws `Away`. */
  ask(asked: Asked, options?: AskOptions): Promise<Output>;
  /** Runs a command that changes something; a dry machine only says it. A non-zero exit throws with what it said; a socket where nobody answers throws `Away`. */
  tell(asked: Asked, options?: AskOptions): Promise<Output>;
  /** The file system of the machine; a dry machine keeps the changes to itself. */
  readonly files: Files;
  /** Something this service keeps on this host from one run to the next, durable when the run succeeds. */
  readonly memory: Memory;
  /** What this service wrote where others write, too. */
  readonly owned: Owned;
  log(message: string): void;
}

/**
 * Which records of a daemon are this service's own, by name, where others write to the same daemon.
 * Durable at once: what is claimed before it is written stays ours, whatever happens to the run.
 */
export interface Owned {
  /** Whether it is ours; of a name that we gave up, whether `record` is still what we last had there (a daemon restored from a backup brings it back); of one that a person let us take over, whether it is still what was shown. */
  has(name: string, record: string): boolean;
  /** All that are ours. */
  names(): Iterable<string>;
  claim(names: Iterable<string>): void;
  /** They are gone from the daemon; each with the record that it last had. */
  release(records: Iterable<readonly [name: string, record: string]>): void;
  /**
   * Somebody else's stand where ours are to be. `trigger approve` with the digest of all of them lets each be taken over as it is there now:
   * from then on `has` is true of this very record. One without a record is then ours whatever it has.
   */
  hold(found: Iterable<readonly [name: string, record?: string]>): void;
}

/** A service's own small durable notes: text under a name. */
export interface Memory {
  get(name: string): string | undefined;
  set(name: string, text: string): void;
}

export interface Stat {
  readonly kind: "file" | "directory" | "symlink" | "other";
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes. */
  readonly size: number;
}

/** The file operations of a machine. Nothing is durable before `sync`. */
export interface Files {
  /** Says what is at a path, without following a symlink at its end. */
  stat(path: string): Promise<Stat | undefined>;
  read(path: string): Promise<Uint8Array | undefined>;
  /** The names in a directory, sorted; none when it does not exist. */
  list(path: string): Promise<string[]>;
  /** The text of a symlink (readlink(2)); undefined for anything else. */
  readLink(path: string): Promise<string | undefined>;
  /** The path with every symlink resolved; a last name that does not exist stays. */
  resolve(path: string): Promise<string>;
  /** Creates or truncates a file and gives it mode and owner. */
  write(
    path: string,
    bytes: Uint8Array | string,
    options?: { mode?: number; uid?: number; gid?: number },
  ): Promise<void>;
  /** Creates a directory and its missing parents. */
  makeDirectory(path: string, options?: { mode?: number; uid?: number; gid?: number }): Promise<void>;
  chmod(path: string, mode: number): Promise<void>;
  /** Changes the owner, of a symlink itself rather than of what it names. */
  chown(path: string, uid: number, gid: number): Promise<void>;
  link(from: string, to: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** Removes a file, or an empty directory; nothing there is well. */
  remove(path: string): Promise<void>;
  /** Makes a file's content, or a directory's names, outlive a power cut (fsync). */
  sync(path: string): Promise<void>;
}
