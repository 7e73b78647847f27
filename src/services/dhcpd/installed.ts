import type { Host, Step } from "../../core/service/host-api.ts";
import { Away, CommandFailed, Held } from "../../core/util/errors.ts";

export const notInstalled =
  "dhcpd is not installed (Debian up to 13: isc-dhcp-server; from 14 on there is none, and the service kea in its place)";

/**
 * Waits for an install. Throws `Away`, saying so, if it fails because the machine has no dhcpd to check with:
 * all else that is missing there follows from that.
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
