import { z } from "zod";
import { done } from "./control.ts";
import type { Kea, Way } from "./ways.ts";

const lease = z.object({ "hw-address": z.string().optional(), duid: z.string().optional() });

/**
 * A way that also ends the leases of other clients on addresses that are now reserved, by the lease commands
 * (libdhcp_lease_cmds.so). Until such a lease is over the new owner gets another address. A client that loses its lease
 * keeps using the address until it asks again.
 */
export function freeingLeases(kea: Kea, way: Way): Way {
  const del = `lease${kea.family}-del`;
  if (!kea.commands.has(del)) {
    throw new Error(
      `freeLeases: Kea has no ${del}: add libdhcp_lease_cmds.so to its "hooks-libraries", or leave the option out`,
    );
  }
  return {
    ...way,
    async write(moves) {
      const refused = await way.write(moves);
      for (const { name, before, after } of moves) {
        if (after?.ip !== undefined && after.ip !== before?.ip && !refused?.has(name)) await free(kea, name, after.ip);
      }
      return refused;
    },
  };
}

async function free({ control, family, by, host }: Kea, name: string, ip: string): Promise<void> {
  const [get, del] = [`lease${family}-get`, `lease${family}-del`];
  const found = await control.ask(get, { "ip-address": ip });
  if (found.result === 3) return; // no client has it
  done(get, found);
  const holder = lease.parse(found.arguments)[by]?.toLowerCase();
  if (holder === name) return;
  host.log(`${ip} is now reserved for ${name}: the lease of ${holder ?? "another client"} is ended`);
  const ended = await control.tell(del, { "ip-address": ip });
  if (ended.result !== 3) done(del, ended); // 3: the lease has just ended by itself
}
