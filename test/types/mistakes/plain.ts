import { defineConfig, service, z } from "trigger";

// @expect-next Property 'onn' does not exist
service(z.object({ on: z.boolean() }), async ({ onn }, host) => {
  await host.tell(["ip", "route", String(onn)]);
});

service(z.object({ on: z.boolean() }), ({ on }, host) => host.log(String(on))); // @expect Promise<void>

service(z.object({ on: z.boolean() }), async (_, host) => {
  await host.tell("ip route"); // @expect 'string' is not assignable
  await host.tell([]); // @expect not assignable to parameter of type 'Asked'
  await host.install({ path: "/etc/x", txt: "" }); // @expect 'txt' does not exist
});

defineConfig({
  directory: { ldif: "./campus.ldif" },
  host: {}, // @expect 'host' does not exist
});
