import { defineConfig } from "trigger";

// The same file on every host. The demo is all five of them on one machine: `trigger up --all`.
export default defineConfig({
  directory: { ldif: "./campus.ldif" },
  timezone: "Europe/Paris", // a date without a zone, such as a subscription's end, is read in it
  hosts: {
    dhcp1: ["dhcp"],
    dhcp2: ["dhcp"],
    ns1: ["dns"],
    mail: ["aliases", "homes"],
    civet: ["event"], // the transcriber: it reads the directory and sends the other hosts their rows
  },
});
