import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The facts that the chaos run passes to the project: the persons, and the addresses of the daemons. */
interface Place {
  readonly hosts: Readonly<Record<string, readonly string[]>>;
  /** The cables, by process; "" is for commands. */
  readonly cables: Readonly<Record<string, Cable>>;
  readonly named: { readonly port: number; readonly key: string; readonly daemon: { readonly pidFile: string } };
  readonly kea: { readonly socket: string; readonly daemon: { readonly pidFile: string } };
}

/** The addresses by which a process reaches the broker's nodes and the directory. */
interface Cable {
  readonly urls: readonly string[];
  readonly directory: string;
}

/** The path of a file of the project. */
export const at = (name: string): string => fileURLToPath(new URL(`../${name}`, import.meta.url));

export const place: Place = JSON.parse(readFileSync(at("place.json"), "utf8"));

export const cable: Cable = place.cables[process.env.MACHINE ?? ""] ?? { urls: [], directory: "" };
