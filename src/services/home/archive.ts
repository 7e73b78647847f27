import { posix } from "node:path";
import type { Host } from "../../core/service/host-api.ts";
import { reason } from "../../core/util/errors.ts";

/** Puts a home into the archive under a name of its own, `<uid>-<name>-<date>`, and returns that path. A rename keeps it in existence at every moment. */
export async function archiveHome(
  host: Host,
  { home, uid, archive, today }: { home: string; uid: string; archive: string; today: Date },
): Promise<string> {
  const name = `${uid}-${posix.basename(home)}-${today.toISOString().slice(0, 10)}`;
  const place = await freePath(host, posix.join(archive, name));
  await host.files.rename(home, place);
  await host.files.sync(archive);
  await host.files.sync(posix.dirname(home));
  return place;
}

/**
 * Packs an archived home into one `.tar.zst` beside it and then removes the directory.
 * If packing fails or takes too long, the directory stays in the archive unpacked.
 */
export async function packHome(host: Host, place: string): Promise<void> {
  const { files } = host;
  const [archive, name] = [posix.dirname(place), posix.basename(place)];
  const part = `${place}.tar.zst.part`;
  try {
    await host.tell(["tar", "--zstd", "--numeric-owner", "-cpf", part, "-C", archive, "--", name]);
    if (!(await files.stat(part))) return; // a dry machine only notes the command
    await files.chmod(part, 0o600);
    await files.sync(part);
    await files.rename(part, `${place}.tar.zst`);
    await files.sync(archive);
    await host.tell(["rm", "-rf", "--one-file-system", "--", place]);
  } catch (error) {
    host.signal.throwIfAborted();
    await files.remove(part);
    host.log(`${place} is archived but not packed: ${reason(error)}`);
  }
}

async function freePath({ files }: Host, path: string): Promise<string> {
  for (let number = 1; ; number++) {
    const candidate = number === 1 ? path : `${path}.${number}`;
    if (!(await files.stat(candidate)) && !(await files.stat(`${candidate}.tar.zst`))) return candidate;
  }
}
