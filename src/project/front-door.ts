import { registerHooks } from "node:module";

// In the published package the sources are JavaScript.
const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
const doors = new Map([
  ["trigger", new URL(`../index.${extension}`, import.meta.url).href],
  ["trigger/directory", new URL(`../directory.${extension}`, import.meta.url).href],
  ["trigger/testing", new URL(`../testing.${extension}`, import.meta.url).href],
  ["zod", import.meta.resolve("zod")],
]);

let open = false;

/**
 * Makes `import … from "trigger"` (`"trigger/directory"`, `"trigger/testing"`) resolve to the running trigger, and
 * `zod` to the zod of that trigger, for a project in any folder. A folder such as /etc/trigger has no node_modules, and
 * two zods do not type-check together.
 */
export function openFrontDoor(): void {
  if (open) return;
  open = true;
  registerHooks({
    resolve(specifier, context, next) {
      const url = doors.get(specifier);
      return url === undefined ? next(specifier, context) : { url, shortCircuit: true };
    },
  });
}
