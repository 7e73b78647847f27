import { defineConfig } from "trigger";

export default defineConfig({
  directory: { ldif: "./directory.ldif" },
  timezone: "UTC",
  hosts: {
    box: ["hosts", "gate", "siren", "guests"],
    door: ["guests"],
    civet: ["event"],
  },
  removals: { of: { gate: { mayEmpty: true } } },
});
