import type { Host } from "../../core/service/host-api.ts";
import { notice } from "../settings.ts";
import { sameContent, withMoves } from "./table-content.ts";

/**
 * The files that the kernel reads at boot: a base file with the whole table, and a small one that it includes. The
 * small one has the changes since the base. A change writes the small one only, so its cost does not grow with the
 * table; once it is large, the base is written again.
 *
 * There are two small files in turn. A new base includes the other one, emptied before. The rename of the base switches from the old pair to the new pair at
 * one moment.
 */

/** The number of characters of changes after which a base is written again: about five hundred changes. */
const sinceLimit = 64 * 1024;

const slots = ["a", "b"] as const;
type Slot = (typeof slots)[number];

export interface BootFiles {
  /** Appends a change of the kernel to the earlier ones; false if the base is to be written again. */
  append(moves: string): Promise<boolean>;
  /**
   * Makes the files hold the whole table, unless they do already. `check` is given if the kernel has not just accepted it.
   */
  fold(table: string, check?: () => Promise<unknown>): Promise<void>;
  /** True if trigger wrote the base. The file itself shows that, too, as a store may be lost. */
  isOurs(): Promise<boolean>;
}

/** The boot files beside `path`, the base. */
export function bootFiles(host: Host, path: string): BootFiles {
  const sinceOf = (slot: Slot): string => `${path.replace(/\.nft$/, "")}.since-${slot}`;
  const include = (slot: Slot): string => `include "${sinceOf(slot)}"\n`;
  const head = `# ${notice}\n`;
  const note = `since ${path}`;
  const install = (path: string, text: string, check?: () => Promise<unknown>) =>
    // The probe is empty: the kernel has this content already.
    host.install(
      { path, text, mode: 0o600 },
      { ...(check ? { check: async () => void (await check()) } : {}), probe: async () => {} },
    );
  const read = async (path: string): Promise<string | undefined> => {
    const bytes = await host.files.read(path);
    return bytes && new TextDecoder().decode(bytes);
  };

  return {
    async append(moves) {
      const noted = host.memory.get(note);
      if (noted === undefined || noted.length + moves.length > sinceLimit) return false;
      const slot = noted.startsWith("a") ? "a" : "b";
      const since = noted.slice(1) + moves;
      await install(sinceOf(slot), head + since);
      host.memory.set(note, slot + since);
      return true;
    },
    async fold(table, check) {
      const inPlace = await read(path);
      const present = slots.find((slot) => inPlace?.endsWith(include(slot)));
      if (inPlace !== undefined && present) {
        const since = (await read(sinceOf(present)))?.slice(head.length) ?? "";
        const base = inPlace.slice(0, -include(present).length);
        if (sameContent(withMoves(base, since), withMoves(table, ""))) {
          await install(sinceOf(present), head + since);
          await install(path, inPlace, check);
          host.memory.set(note, present + since);
          return;
        }
      }
      const slot = present === "a" ? "b" : "a";
      await install(sinceOf(slot), head);
      await install(path, table + include(slot), check);
      host.memory.set(note, slot);
    },
    async isOurs() {
      return (await read(path))?.startsWith(head) ?? false;
    },
  };
}
