import { Client } from "ldapts";
import { directoryContract } from "../../../test/contracts/directory.ts";
import { baseLdif, startSlapd } from "../../../test/servers/slapd.ts";
import type { StoredEntry } from "../../core/entry.ts";
import type { DirectorySource, SourceChange } from "../../ports/directory.ts";
import { ldapSource } from "./source.ts";

// The contract's entries have no entryUUID and stand below dc=campus: the server's are shown to it in that form.
const suffix = ",dc=example";
const shownEntry = ({ dn, attributes }: StoredEntry): StoredEntry => {
  const name = dn.slice(0, -suffix.length);
  const own = ["objectclass", "cn", "description"].flatMap((attribute) => {
    const values = attributes.get(attribute);
    return values ? [[attribute, values] as const] : [];
  });
  return { uuid: name, dn: name, attributes: new Map(own) };
};

function asTheContractHasIt(source: DirectorySource): DirectorySource {
  return {
    ...source,
    async *changes(signal) {
      const names = new Map<string, string>();
      const show = (entries: readonly StoredEntry[]): StoredEntry[] =>
        entries.map((entry) => {
          const shown = shownEntry(entry);
          names.set(entry.uuid, shown.uuid);
          return shown;
        });
      for await (const change of source.changes(signal)) {
        const shown: SourceChange =
          change.kind === "refresh"
            ? { ...change, entries: show(change.entries) }
            : change.kind === "change"
              ? { ...change, put: show(change.put), gone: change.gone.map((uuid) => names.get(uuid) ?? uuid) }
              : change;
        yield shown;
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
