import { resolve } from "node:path";
import { makeKey } from "../daemon/keys.ts";
import type { Command } from "./command.ts";

/** Makes the key by which a transcriber signs. */
export const key: Command = {
  name: "key",
  summary: "make a key that signs the messages about rows, and print its public key",
  operands: ["FILE"],
  options: {},
  more: `FILE is made if there is none, readable by its owner alone. If it is there, its public key is printed, and nothing changes.
It belongs on the machines that transcribe, and to the user that trigger runs as there. Its secret is never shown.

To begin
  1. trigger key /etc/trigger/sign.key
  2. in the config: signing: { key: "/etc/trigger/sign.key" }, and restart the transcribers
  3. the public key, as a line, into a file that every host has
  4. in the config: trust: ["/etc/trigger/trust"] beside key, and restart every host

To change the key, without a restart and without a lost change
  1. trigger key /etc/trigger/next.key
  2. its public key as one more line into the trust of every host
  3. mv /etc/trigger/next.key /etc/trigger/sign.key, on the transcribers
  4. trigger verify: when every host is equal, the line of the old key out of their trust`,
  async run({ operands: [name = ""] }, { folder, say, warn }) {
    const file = resolve(folder, name);
    const { publicKey, made } = makeKey(file);
    warn(made ? `made ${file}; its public key, for signing.trust:` : `${file} exists; its public key:`);
    say(publicKey);
    if (made) warn("`trigger key --help` has the next steps.");
    return 0;
  },
};
