import type { Host, Step } from "../../core/service/host-api.ts";
import { Away, CommandFailed, Held } from "../../core/util/errors.ts";

export const notInstalled =
  "dhcpd is not installed (Debian up to 13: isc-dhcp-server; Debian 14 has none: use the service kea)";

/**
 * Waits for an install. If it fails because the machine has no dhcpd for the check, it throws `Away` with that reason:
 * other missing files follow from that.
 */
export async function onInstalled<T>(host: Host, check: Step | false, installing: Promise<T>): Promise<T> {
  try {
    return await installing;
  } catch (error) {
    host.signal.throwIfAborted();
    if (error instanceof Held || !Array.isArray(check) || check[0] !== "dhcpd") throw error;
    if (await isInstalled(host)) throw error;
    throw new Away(notInstalled, { cause: error });
  }
}

async function isInstalled(host: Host): Promise<boolean> {
  try {
    await host.ask(["dhcpd", "--version"]);
    return true;
  } catch (error) {
    return !(error instanceof CommandFailed && error.code === 127);
  }
}
