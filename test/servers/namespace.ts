import { execFileSync } from "node:child_process";
import { test } from "node:test";

let made = 0;

/** A network namespace of its own, deleted when the tests of the file end. */
export function namespace(role: string): { readonly name: string; exec(...command: readonly string[]): string } {
  made += 1;
  const name = `trg-${process.pid}-${made}-${role}`;
  execFileSync("ip", ["netns", "add", name]);
  test.after(() => void execFileSync("ip", ["netns", "del", name]));
  const exec = (...command: readonly string[]): string =>
    execFileSync("ip", ["netns", "exec", name, ...command], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  exec("ip", "link", "set", "lo", "up");
  return { name, exec };
}
