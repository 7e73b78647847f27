import { defineConfig } from "trigger";

export default defineConfig({
  directory: { ldif: "./directory.ldif" },
  removals: { atMost: 20, share: 0.05, of: { homes: { atMost: 5, share: 0 }, bans: { mayEmpty: true } } },
  hosts: { box: ["homes", "bans"], civet: ["event"] },
});
