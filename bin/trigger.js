#!/usr/bin/env node
// Plain JavaScript that any Node understands, so that an old one can be told what is needed.
const major = Number(process.versions.node.split(".")[0]);
const { existsSync } = await import("node:fs");
if (major < 24) {
  // A checkout has the right one.
  const own = new URL("../node_modules/.bin", import.meta.url).pathname;
  const remedy = existsSync(`${own}/node`) ? `: say export PATH="${own}:$PATH"` : "";
  process.stderr.write(`trigger needs Node 24 or newer; this is ${process.version} (${process.execPath})${remedy}\n`);
  process.exit(2);
}
// In a checkout the sources run as they are; the published package has JavaScript only.
const source = new URL("../src/cli/start.ts", import.meta.url);
const { start } = await import(
  existsSync(source) ? source.href : new URL("../dist/cli/start.js", import.meta.url).href
);
await start();
