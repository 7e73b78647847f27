import { Client } from "ldapts";
import { directoryContract } from "../../../test/contracts/directory.ts";
import { baseLdif, startSlapd } from "../../../test/servers/slapd.ts";
import type { StoredEntry } from "../../core/directory/entry.ts";
import type { DirectorySource, SourceChange } from "../../ports/directory.ts";
import { ldapSource } from "./source.ts";

// The contract's entries have no entryUUID and are below dc=campus: the contract gets the server's entries in that form.
const suffix = ",dc=example";
const own = ["objectclass", "cn", "description"];
const contractName = (dn: string): string => dn.slice(0, -suffix.length);

function asTheContractHasIt(source: DirectorySource): DirectorySource {
  return {
    ...source,
    async *changes(signal) {
      const mirror = new Map<string, StoredEntry>();
      const shown = new WeakMap<StoredEntry, StoredEntry>();
      const show = (entry: StoredEntry): StoredEntry => {
        const name = contractName(entry.dn);
        const attributes = new Map([...entry.attributes].filter(([attribute]) => own.includes(attribute)));
        const made = shown.get(entry) ?? { uuid: name, dn: name, attributes };
        shown.set(entry, made);
        mirror.set(entry.uuid, entry);
        return made;
      };
      for await (const change of source.changes(signal, (uuid) => mirror.get(uuid))) {
        const names =
          change.kind === "change" ? change.removed.map((uuid) => contractName(mirror.get(uuid)?.dn ?? "")) : [];
        const told: SourceChange =
          change.kind === "refresh"
            ? { ...change, entries: change.entries.map(show) }
            : change.kind === "change"
              ? { ...change, put: change.put.map(show), removed: names }
              : change;
        yield told;
      }
    },
  };
}

directoryContract("ldap", async (entries, clock) => {
  const server = await startSlapd({ ldif: baseLdif });
  let held: readonly StoredEntry[] = [];
  const hold = async (content: readonly StoredEntry[]): Promise<void> => {
    await server.start();
    const client = new Client({ url: server.url });
    await client.bind(server.adminDn, server.password);
    for (const { dn } of held) await client.del(`${dn}${suffix}`);
    for (const { dn, attributes } of content) {
      await client.add(`${dn}${suffix}`, Object.fromEntries(attributes) as Record<string, string[]>);
    }
    await client.unbind();
    held = content;
  };
  await hold(entries);
  const { url, base } = server;
  return {
    source: asTheContractHasIt(ldapSource({ url, base, filter: "(objectClass=device)", clock, log: () => {} })),
    hold,
    break: server.stop,
    close: async () => server[Symbol.asyncDispose](),
  };
});
