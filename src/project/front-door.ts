import { registerHooks } from "node:module";

// In the published package the sources are JavaScript.
const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
const frontDoor = new URL(`../index.${extension}`, import.meta.url).href;
const zod = import.meta.resolve("zod");

let open = false;

/**
 * Makes `import … from "trigger"` resolve to the running trigger, and `zod` to the zod it uses, wherever a project lies:
 * a folder such as /etc/trigger has no node_modules, and two zods do not type-check together.
 */
export function openFrontDoor(): void {
  if (open) return;
  open = true;
  registerHooks({
    resolve(specifier, context, next) {
      if (specifier === "trigger") return { url: frontDoor, shortCircuit: true };
      if (specifier === "zod") return { url: zod, shortCircuit: true };
      return next(specifier, context);
    },
  });
}
