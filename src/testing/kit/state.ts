import { diffLines } from "diff";
import type { Files } from "../../core/service/host-api.ts";

/** The files of a machine, by path: kind, rights and content. The folders of trigger itself are left out. */
export type State = ReadonlyMap<string, string>;

export interface StateOptions {
  /** The content of daemons, as texts by a name. */
  readonly daemons?: Readonly<Record<string, string>> | undefined;
  /** Folders that files were written to: they, and those above, are no content of their own. */
  readonly folders: ReadonlySet<string>;
}

/** Reads the files of a machine; the content of its daemons is added. */
export async function stateOf(
  { files }: { readonly files: Files },
  { daemons = {}, folders }: StateOptions,
): Promise<State> {
  const found = new Map<string, string>();
  const onTheWay = (path: string): boolean => [...folders].some((folder) => `${folder}/`.startsWith(`${path}/`));
  async function visit(folder: string): Promise<void> {
    for (const name of await files.list(folder)) {
      const path = `${folder === "/" ? "" : folder}/${name}`;
      if (name === ".trigger" || path === "/scratch") continue;
      const stat = await files.stat(path);
      if (!stat) continue;
      const rights = `${stat.kind} ${stat.mode.toString(8)} ${stat.uid}:${stat.gid}`;
      if (stat.kind === "file") found.set(path, `${rights}\n${new TextDecoder().decode(await files.read(path))}`);
      else if (stat.kind === "symlink") found.set(path, `${rights}\n${await files.readLink(path)}`);
      else {
        if (!onTheWay(path)) found.set(path, rights);
        await visit(path);
      }
    }
  }
  await visit("/");
  for (const [name, text] of Object.entries(daemons)) found.set(`the daemon ${name}`, `daemon\n${text}`);
  return found;
}

/** The most lines that a difference shows. */
const most = 12;

/** Lines that say how a state differs from the one expected; empty if they are equal, serials apart unless `exact`. */
export function differences(expected: State, found: State, { exact = false, secret = false } = {}): string[] {
  const lines: string[] = [];
  for (const path of [...new Set([...expected.keys(), ...found.keys()])].sort()) {
    const wanted = expected.get(path);
    const is = found.get(path);
    if (wanted === is) continue;
    if (!exact && wanted !== undefined && is !== undefined && equalButSerial(wanted, is)) continue;
    if (is === undefined) lines.push(`${path} is missing`);
    else if (wanted === undefined) lines.push(`${path} is left`, ...(secret ? [] : content(is)));
    else if (secret) lines.push(`${path} differs; the service has secret columns, so it is not shown`);
    else {
      lines.push(`${path} differs (- expected, + found)`);
      for (const { value, added, removed } of diffLines(wanted, is)) {
        if (!added && !removed) continue;
        for (const line of value.replace(/\n$/, "").split("\n")) lines.push(`${added ? "+" : "-"} ${line}`);
      }
    }
  }
  return lines.length > most ? [...lines.slice(0, most), `… ${lines.length - most} more lines`] : lines;
}

const content = (text: string): string[] => {
  const lines = text.split("\n").slice(1);
  return lines.filter((line, index) => line !== "" || index < lines.length - 1).map((line) => `+ ${line}`);
};

/** True if two texts differ in one number of 8 digits or more alone: a serial counts what happened before. */
function equalButSerial(one: string, other: string): boolean {
  const number = /(\d{8,})/;
  const [parts, others] = [one.split(number), other.split(number)];
  if (parts.length !== others.length) return false;
  const pairs = new Map<string, string>();
  for (const [index, part] of parts.entries()) {
    if (part === others[index]) continue;
    if (index % 2 === 0) return false;
    pairs.set(part, others[index] ?? "");
  }
  return pairs.size <= 1;
}
