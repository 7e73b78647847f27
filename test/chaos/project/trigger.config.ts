import { defineConfig } from "trigger";
import { cable, place } from "./lib/place.ts";

// Each process goes to the broker and to the directory through cables of its own, which the chaos cuts.
export default defineConfig({
  broker: { url: cable.urls, heartbeat: 2 },
  directory: { url: cable.directory, base: "dc=campus,dc=example" },
  // Only of people so few may go unasked that an administrator is needed at times.
  removals: { atMost: 100_000, of: { people: { atMost: 5, share: 0.1 } } },
  hosts: place.hosts,
});
