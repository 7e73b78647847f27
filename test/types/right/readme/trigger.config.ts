// trigger.config.ts
import { defineConfig } from "trigger";

export default defineConfig({
  directory: { ldif: "./directory.ldif" },
  hosts: { box: ["hosts"], civet: ["event"] }, // civet is the transcriber
});
