import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * The npm-shrinkwrap.json of the published package: what package-lock.json says of the packages that trigger needs to
 * run, with their integrity. An install of the package then takes the very packages that were tested.
 */

interface Lock {
  readonly packages: Readonly<Record<string, Locked>>;
  readonly [field: string]: unknown;
}

interface Locked {
  readonly version?: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly dev?: boolean;
  readonly link?: boolean;
  readonly [field: string]: unknown;
}

/** The shrinkwrap of a lock file, as text. Throws if a package of it has no integrity, or names a registry. */
export function shrinkwrapOf(lockText: string): string {
  const { packages, ...lock } = JSON.parse(lockText) as Lock;
  const kept: Record<string, Locked> = {};
  // npm marks the folder to which a link leads, and not the link.
  const isDev = ({ dev, link, resolved = "" }: Locked): boolean => dev ?? (link && packages[resolved]?.dev) ?? false;
  for (const [path, locked] of Object.entries(packages)) {
    if (path === "") {
      const { devDependencies, ...own } = locked;
      kept[path] = own;
    } else if (!isDev(locked)) {
      if (!locked.integrity || locked.resolved !== undefined || locked.link) {
        throw new Error(`package-lock.json: ${path} has no integrity, or says where it comes from`);
      }
      kept[path] = locked;
    }
  }
  return `${JSON.stringify({ ...lock, packages: kept }, null, 2)}\n`;
}

if (import.meta.main) {
  const root = join(import.meta.dirname, "..");
  const lock = readFileSync(join(root, "package-lock.json"), "utf8");
  writeFileSync(join(root, "npm-shrinkwrap.json"), shrinkwrapOf(lock));
}
