import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Attribute, Change, Client } from "ldapts";
import { follow, shownLdif, shownMirror } from "../../../test/servers/follow.ts";
import { baseLdif, startSlapd } from "../../../test/servers/slapd.ts";
import { systemClock } from "../../daemon/clock.ts";
import { ldapSource } from "./source.ts";

const top = "dc=campus,dc=example";
const inside = `ou=in,${top}`;
const outside = `ou=out,${top}`;
const unit = (ou: string): string => `dn: ou=${ou},${top}\nobjectClass: organizationalUnit\nou: ${ou}\n\n`;

/** A site's attribute in which case counts: its names differ in case alone. */
const room =
  "attributetype ( 1.3.6.1.4.1.4203.666.9.1 NAME 'siteRoom' EQUALITY caseExactMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )";
const twins = ["lab", "LAB", "Lab", "l\u00adab"];

/** A place in the tree that a random writer works on. */
interface Node {
  rdn: string;
  above: Node | undefined;
}
const dnOf = ({ rdn, above }: Node): string => (above ? `${rdn},${dnOf(above)}` : rdn);
const isWithin = (node: Node | undefined, other: Node): boolean =>
  node !== undefined && (node === other || isWithin(node.above, other));

const words = ["add", "add", "add", "modify", "modify", "rename", "recase", "move", "move", "delete", "swap"] as const;
const step = fc.record({ word: fc.constantFrom(...words), a: fc.nat(), b: fc.nat() });
const names = ["Zoé", "straße", "日本", "a b", "O'Neil", "x+y", "c,d", "#1", "plain", "ΣΑΣ"];

test("after any writes the mirror equals the output of slapcat", { timeout: 60_000 }, async () => {
  await using server = await startSlapd({ ldif: `${baseLdif}\n${unit("in")}${unit("out")}`, schema: [room] });
  const client = new Client({ url: server.url });
  await client.bind(server.adminDn, server.password);
  let number = 0;
  try {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 100, maxLength: 250 }), async (steps) => {
        const log = (): void => {};
        const source = ldapSource({ url: server.ldapiUrl, base: inside, clock: systemClock, log });
        await using follower = follow(source);
        await follower.refresh();
        const roots: Node[] = [inside, outside].map((rdn) => ({ rdn, above: undefined }));
        const nodes: Node[] = [];
        const fresh = (a: number): string => {
          number += 1;
          if (a % 3 === 0) return `siteRoom=${twins[a % twins.length]} ${number % 5}`;
          return `ou=${(names[a % names.length] ?? "").replace(/[,+#]/g, "\\$&")} ${number}`;
        };
        const place = (a: number, not?: Node): Node => {
          const free = [...roots, ...nodes].filter((node) => !not || !isWithin(node, not));
          return free[a % free.length] as Node;
        };
        const move = async (node: Node, rdn: string, above: Node): Promise<void> => {
          try {
            await client.modifyDN(dnOf(node), `${rdn},${dnOf(above)}`);
            Object.assign(node, { rdn, above });
          } catch (error) {
            // slapd 2.5 sometimes cannot index a name that was just freed: then nothing is renamed, and no other entry gets the name.
            if (![80, 68].includes((error as { code: number }).code)) throw error;
          }
        };
        for (const { word, a, b } of steps) {
          const node = nodes[a % Math.max(1, nodes.length)];
          if (word === "add" || !node) {
            const made = { rdn: fresh(a), above: place(b) };
            const [, type = "", name = ""] = /^(\w+)=(.*)$/.exec(made.rdn.replaceAll("\\", "")) ?? [];
            const objectClass = ["organizationalUnit", "extensibleObject"];
            try {
              await client.add(
                dnOf(made),
                type === "ou" ? { ou: [name, "any"], objectClass } : { ou: "any", siteRoom: name, objectClass },
              );
              nodes.push(made);
            } catch (error) {
              if ((error as { code: number }).code !== 68) throw error;
            }
          } else if (word === "rename") await move(node, fresh(b), node.above as Node);
          else if (word === "recase")
            await move(
              node,
              node.rdn.replace(/(?<==).*/, (name) => name.toUpperCase()),
              node.above as Node,
            );
          else if (word === "move") await move(node, node.rdn, place(b, node));
          else if (word === "swap") {
            const other = nodes[b % nodes.length] as Node;
            if (isWithin(node, other) || isWithin(other, node)) continue;
            const [one, two] = [{ ...node }, { ...other }];
            await move(node, fresh(a), one.above as Node);
            await move(other, one.rdn, one.above as Node);
            await move(node, two.rdn, two.above as Node);
          } else if (word === "delete") {
            const going = nodes.filter((each) => isWithin(each, node)).sort((x, y) => dnOf(y).length - dnOf(x).length);
            for (const each of going.slice(0, 3)) {
              if (nodes.some(({ above }) => above === each)) continue;
              await client.del(dnOf(each));
              nodes.splice(nodes.indexOf(each), 1);
            }
          } else await client.modify(dnOf(node), [change(`${b} é`)]);
          if (b % 97 === 0) source.refresh();
        }
        number += 1;
        const last = `ou=last ${number},${inside}`;
        await client.add(last, { objectClass: "organizationalUnit", ou: `last ${number}` });
        await follower.until(() => follower.mirror.named(last) !== undefined);
        const below = Object.entries(shownLdif(server.slapcat())).filter(([, entry]) =>
          (entry as { dn: string }).dn.endsWith(inside),
        );
        assert.deepEqual(shownMirror(follower.mirror), Object.fromEntries(below));
        const troubles = follower.seen.filter(({ kind }) => kind === "trouble");
        assert.deepEqual(troubles, []);
      }),
      { numRuns: 4, endOnFailure: true },
    );
  } finally {
    await client.unbind();
  }
});

const change = (value: string): Change =>
  new Change({ operation: "replace", modification: new Attribute({ type: "description", values: [value] }) });
