import { diffLines } from "diff";
import type { Files } from "../../core/service/host-api.ts";

/** The files of a machine, by path: kind, rights and content. Hidden folders, trigger's among them, are left out. */
export interface State {
  readonly files: ReadonlyMap<string, string>;
  /** Folders that files were written to. Neither they nor the folders above count as content. */
  readonly folders: ReadonlySet<string>;
}

export interface StateOptions {
  /** The content of daemons, as texts by a name. */
  readonly daemons?: Readonly<Record<string, string>> | undefined;
  readonly folders: ReadonlySet<string>;
  /** Takes the texts of files by path and returns their meaning, if one meaning can be written in several ways. */
  readonly meaning?: ((files: ReadonlyMap<string, string>) => ReadonlyMap<string, string>) | undefined;
}

/** Reads the files of a machine; the content of its daemons is added. */
export async function stateOf(
  { files }: { readonly files: Files },
  { daemons = {}, folders, meaning = (texts) => texts }: StateOptions,
): Promise<State> {
  const found = new Map<string, string>();
  const texts = new Map<string, string>();
  async function visit(folder: string): Promise<void> {
    for (const name of await files.list(folder)) {
      const path = `${folder === "/" ? "" : folder}/${name}`;
      const stat = await files.stat(path);
      if (!stat || path === "/scratch" || path === "/kept" || (stat.kind === "directory" && name.startsWith(".")))
        continue;
      found.set(path, `${stat.kind} ${stat.mode.toString(8)} ${stat.uid}:${stat.gid}`);
      if (stat.kind === "file") texts.set(path, new TextDecoder().decode(await files.read(path)));
      else if (stat.kind === "symlink") texts.set(path, (await files.readLink(path)) ?? "");
      else await visit(path);
    }
  }
  await visit("/");
  const meant = meaning(texts);
  for (const path of texts.keys()) if (!meant.has(path)) found.delete(path);
  for (const [path, text] of meant) found.set(path, `${found.get(path) ?? "meaning"}\n${text}`);
  for (const [name, text] of Object.entries(daemons)) found.set(`the daemon ${name}`, `daemon\n${text}`);
  return { files: found, folders: new Set(folders) };
}

/** The most lines that a difference shows. */
const most = 12;

export interface Comparing {
  /** True: not even a serial may differ. */
  readonly exact?: boolean;
  /** True: no content is shown. */
  readonly secret?: boolean;
  /** The values of the rows: none of them is a serial. */
  readonly values?: readonly string[];
}

/** The differences of a state from the expected one, in lines. Empty if they are equal; without `exact` serials do not count. */
export function differences(expected: State, found: State, options: Comparing = {}): string[] {
  const { exact = false, secret = false, values = [] } = options;
  const folders = [...expected.folders, ...found.folders];
  const isOnTheWay = (path: string): boolean => folders.some((folder) => `${folder}/`.startsWith(`${path}/`));
  const lines: string[] = [];
  for (const path of [...new Set([...expected.files.keys(), ...found.files.keys()])].sort()) {
    const wanted = expected.files.get(path);
    const is = found.files.get(path);
    if (wanted === is || ((wanted ?? is)?.startsWith("directory") && isOnTheWay(path))) continue;
    if (!exact && wanted !== undefined && is !== undefined && equalButSerial(wanted, is, values)) continue;
    if (is === undefined) lines.push(`${path} is missing`);
    else if (wanted === undefined) lines.push(`${path} is left over`, ...(secret ? [] : content(is)));
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

/** True if two texts differ in one serial alone: a number, or hexadecimal, of 8 digits or more that is no value of a row. */
function equalButSerial(one: string, other: string, values: readonly string[]): boolean {
  const serial = /((?:[0-9a-f]{8,}-?)+)/;
  const [parts, others] = [one.split(serial), other.split(serial)];
  if (parts.length !== others.length) return false;
  const plain = new Set(values.map((value) => value.toLowerCase().replace(/[^0-9a-z]/g, "")));
  const pairs = new Map<string, string>();
  for (const [index, part] of parts.entries()) {
    const is = others[index] ?? "";
    if (part === is) continue;
    if (index % 2 === 0 || part.length !== is.length || plain.has(part) || plain.has(is)) return false;
    pairs.set(part, is);
  }
  return pairs.size <= 1;
}
