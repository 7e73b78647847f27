import { defineConfig } from "trigger";

export default defineConfig({
  directory: { ldif: "./directory.ldif" },
  timezone: "UTC",
  hosts: {
    box: ["hosts"],
    civet: ["event"],
  },
});
