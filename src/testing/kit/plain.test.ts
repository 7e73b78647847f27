import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { service } from "../../core/service/service.ts";
import { type Examined, examine } from "../conformance.ts";

/** The rules that a plain service breaks. */
async function rulesBrokenBy(of: Examined): Promise<string[]> {
  const verdicts = await Array.fromAsync(examine(of, { crashes: 10 }));
  return verdicts.filter(({ passed }) => !passed).map(({ name }) => name);
}

const siren = z.object({ on: z.boolean(), room: z.string() });
const file = "/run/siren";

test("a plain service whose effect is the same each time breaks no rule", async () => {
  const sounds = service(siren, async ({ on, room }, host) => {
    await host.tell(on ? ["touch", file] : ["rm", "-f", file]);
    await host.tell(["announce", "--", room]);
  });
  assert.deepEqual(await rulesBrokenBy(sounds), []);
});

test("a plain service that counts, trusts any body or builds a command is caught", async () => {
  const counts = service(siren, async (_, host) => {
    await host.files.makeDirectory("/run");
    await host.files.write(file, `${new TextDecoder().decode(await host.files.read(file))}x`);
  });
  assert.ok((await rulesBrokenBy(counts)).includes("idempotent"));
  const trusts = service(z.any(), async () => {});
  assert.deepEqual(await rulesBrokenBy(trusts), ["bad bodies are refused"]);
  const builds = service(siren, async ({ room }, host) => void (await host.tell(["sh", "-c", `announce ${room}`])));
  assert.deepEqual(await rulesBrokenBy(builds), ["hostile values stay inside"]);
});
