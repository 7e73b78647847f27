import { fileURLToPath } from "node:url";
import { service, z } from "trigger";

const siren = fileURLToPath(new URL("../out/siren", import.meta.url)); // stands for a siren: it sounds while the file is there

export default service(z.object({ on: z.boolean() }), async ({ on }, host) => {
  await host.tell(on ? ["touch", siren] : ["rm", "-f", siren]);
  host.log(on ? "the siren sounds" : "the siren is still");
});
