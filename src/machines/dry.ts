import type { Asked } from "../core/service/host-api.ts";
import type { Machine } from "../ports/machine.ts";
import { overlay } from "./overlay.ts";

/** The changes that would be made, in the order of their first touch. */
export interface Noted {
  /** Files whose content would differ; undefined for a missing file. */
  readonly files: readonly {
    readonly path: string;
    readonly before: string | undefined;
    readonly after: string | undefined;
  }[];
  /** Other changes to files and directories, each as a sentence. */
  readonly changes: readonly string[];
  readonly commands: readonly {
    readonly command: Asked;
    readonly input: string | undefined;
    /** The changes that the command would make, in lines. */
    readonly shown?: readonly string[];
  }[];
}

export interface DryMachine extends Machine {
  noted(): Noted;
  /** Forgets the noted changes; later reads still see them. */
  forget(): void;
}

/**
 * A machine that only notes the changes to another one. Later reads see these changes; commands that would change
 * something have no output and exit 0.
 */
export function dryMachine(base: Machine): DryMachine {
  let files = new Map<string, { before: string | undefined; after: string | undefined }>();
  let changes: string[] = [];
  let commands: Noted["commands"][number][] = [];
  const text = (bytes: Uint8Array | undefined): string | undefined => bytes && Buffer.from(bytes).toString();

  return {
    dry: true,
    scratch: base.scratch,
    kept: base.kept,
    files: overlay(base.files, {
      file(path, before, after) {
        const first = files.get(path);
        files.set(path, { before: first ? first.before : text(before), after: text(after) });
      },
      other: (what) => changes.push(what),
    }),
    async run(command, options) {
      if (!options.changes) return base.run(command, options);
      options.signal?.throwIfAborted();
      const { input, shown } = options;
      commands.push({ command, input, ...(shown && { shown }) });
      return { code: 0, stdout: "", stderr: "" };
    },
    incarnation: (daemon) => base.incarnation(daemon),
    noted: () => ({
      files: [...files].map(([path, note]) => ({ path, ...note })).filter(({ before, after }) => before !== after),
      changes: [...changes],
      commands: [...commands],
    }),
    forget() {
      files = new Map();
      changes = [];
      commands = [];
    },
  };
}
