import { execFileSync } from "node:child_process";

/** A server and a client that see each other alone: two network namespaces with a cable between them (`v0` there, `v1` here). */
export interface Network {
  readonly server: string;
  readonly client: string;
  remove(): void;
}

let made = 0;

/** Makes the namespaces; `address` is the server's, with its length. Only root can. */
export function makeNetwork(name: string, ...addresses: readonly string[]): Network {
  made += 1;
  const [server, client] = ["s", "c"].map((end) => `${name}${process.pid}-${made}${end}`) as [string, string];
  const ip = (...words: string[]): void => void execFileSync("ip", words, { stdio: ["ignore", "ignore", "pipe"] });
  ip("netns", "add", server);
  ip("netns", "add", client);
  // No duplicate address detection: an IPv6 address could not be used for a second.
  for (const space of [server, client]) {
    ip(
      "netns",
      "exec",
      space,
      "sh",
      "-c",
      "echo 0 | tee /proc/sys/net/ipv6/conf/all/accept_dad /proc/sys/net/ipv6/conf/default/accept_dad",
    );
  }
  ip("-n", server, "link", "add", "v0", "type", "veth", "peer", "name", "v1", "netns", client);
  for (const address of addresses)
    ip("-n", server, "addr", "add", address, "dev", "v0", ...(address.includes(":") ? ["nodad"] : []));
  ip("-n", server, "link", "set", "lo", "up");
  ip("-n", server, "link", "set", "v0", "up");
  ip("-n", client, "link", "set", "v1", "up");
  return {
    server,
    client,
    remove() {
      for (const space of [server, client]) ip("netns", "del", space);
    },
  };
}
