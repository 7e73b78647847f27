import { resolve } from "node:path";
import { makeKey } from "../daemon/keys.ts";
import type { Command } from "./command.ts";

/** Makes the key that a transcriber signs with. */
export const key: Command = {
  name: "key",
  summary: "make a key that signs what hosts are told of rows, and say its public one",
  operands: ["FILE"],
  options: {},
  more: `FILE is made where there is none, readable by its owner alone; of one that is there the public key is said, and nothing changes.
It belongs on the machines that transcribe, and to whom trigger runs as there. What is secret in it is never shown.

To begin
  1. trigger key /etc/trigger/sign.key
  2. in the config: signing: { key: "/etc/trigger/sign.key" }, and restart the transcribers
  3. the public key, as a line, into a file that every host has; in the config: trust: ["/etc/trigger/trust"] beside key; restart every host

To change the key, without a restart and without a lost change
  1. trigger key /etc/trigger/next.key
  2. its public key as one more line into the trust of every host
  3. mv /etc/trigger/next.key /etc/trigger/sign.key, on the transcribers
  4. trigger verify: when every host is equal, the line of the old key out of their trust`,
  async run({ operands: [name = ""] }, { folder, say, warn }) {
    const file = resolve(folder, name);
    const { publicKey, made } = makeKey(file);
    warn(made ? `${file} is made; its public key, for signing.trust:` : `${file} was there; its public key:`);
    say(publicKey);
    if (made) warn("`trigger key --help` says what to do next.");
    return 0;
  },
};
