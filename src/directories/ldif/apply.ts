import { identityOfDn, isBelow, parentOf, rdnTexts } from "../../core/directory/dn.ts";
import type { Attributes, StoredEntry } from "../../core/directory/entry.ts";
import { uuidOf } from "../../core/directory/identity.ts";
import type { Schema } from "../../core/directory/schema.ts";
import { reason, type UserError } from "../../core/util/errors.ts";
import { wrongAt } from "./lines.ts";
import { lostRdn, modified, withoutRdn, withRdn } from "./modify.ts";
import type { ChangeRecord, LdifRecord } from "./record.ts";
import { type Tree, treeOf } from "./tree.ts";

/**
 * Applies the records of a file to entries in order; a content record is an addition, as ldapadd takes it. A record
 * that a server would refuse is a `UserError` with LDAP's own name for it (RFC 4511, 4.1.9). Names are compared by the
 * schema of that server, if it is known.
 */
export function applyRecords(
  entries: Iterable<StoredEntry>,
  records: Iterable<LdifRecord>,
  file: string,
  schema?: Schema,
): StoredEntry[] {
  const tree = treeOf(entries, schema);
  for (const record of records) apply(tree, record, (why, line = record.line) => wrongAt(file, line, why));
  return [...tree.entries.values()];
}

/** Makes the error of a refused record, at its own line by default. */
type Refuse = (why: string, line?: number) => UserError;

function apply(tree: Tree, record: LdifRecord, refuse: Refuse): void {
  const dn = tree.keyOf(record.dn);
  const entry = tree.entries.get(dn);
  if (record.kind === "content" || record.kind === "add") add(tree, dn, record, refuse);
  else if (!entry) throw refuse(`noSuchObject: there is no entry "${record.dn}"`);
  else if (record.kind === "rename") rename(tree, dn, entry, record, refuse);
  else if (record.kind === "modify") {
    const attributes = modified(entry.attributes, record.modifications, refuse);
    const lost = lostRdn(entry.dn, entry.attributes, attributes);
    if (lost) throw refuse(`notAllowedOnRDN: ${lost} names the entry "${record.dn}"`);
    tree.put(dn, { ...entry, attributes });
  } else {
    if (tree.hasBelow(dn)) throw refuse(`notAllowedOnNonLeaf: there are entries below "${record.dn}"`);
    tree.remove(dn);
  }
}

function add(tree: Tree, dn: string, record: { dn: string; attributes: Attributes }, refuse: Refuse): void {
  if (tree.entries.has(dn)) throw refuse(`entryAlreadyExists: "${record.dn}"`);
  if (isOrphan(tree, dn)) throw refuse(`noSuchObject: there is no entry above "${record.dn}"`);
  const attributes = withRdn(record.attributes, record.dn);
  tree.put(dn, { uuid: uuidOf(record.dn, attributes), dn: record.dn, attributes });
}

/**
 * True if a DN is below an entry, but not below its own parent. An entry without a parent is a suffix, or the top of an
 * extract.
 */
function isOrphan({ entries }: Tree, dn: string): boolean {
  let parent = parentOf(dn);
  if (parent === undefined || entries.has(parent)) return false;
  while (parent && !entries.has(parent)) parent = parentOf(parent);
  return Boolean(parent);
}

type Rename = ChangeRecord & { kind: "rename" };

function rename(tree: Tree, from: string, entry: StoredEntry, record: Rename, refuse: Refuse): void {
  const components = rdnTexts(entry.dn);
  const superior = record.newSuperior ?? components.slice(1).join(",");
  const above = tree.keyOf(superior);
  if (record.newSuperior && !tree.entries.has(above)) throw refuse(`noSuchObject: there is no entry "${superior}"`);
  if (from === "" || above === from || isBelow(above, from)) {
    throw refuse(`unwillingToPerform: "${record.dn}" cannot be moved below itself`);
  }
  const written = superior === "" ? record.newRdn : `${record.newRdn},${superior}`;
  const to = nameOf(tree.keyOf, written, refuse);
  if (to !== from && tree.entries.has(to)) throw refuse(`entryAlreadyExists: "${written}"`);

  const attributes = record.deleteOldRdn ? withoutRdn(entry.attributes, entry.dn) : entry.attributes;
  const moves = [
    { old: from, before: entry, entry: { ...entry, dn: written, attributes: withRdn(attributes, written) } },
  ];
  for (const [old, below] of tree.hasBelow(from) ? tree.entries : []) {
    if (!isBelow(old, from)) continue;
    const own = rdnTexts(below.dn).slice(0, -components.length);
    moves.push({ old, before: below, entry: { ...below, dn: [...own, written].join(",") } });
  }
  for (const { old } of moves) tree.remove(old);
  for (const { before, entry } of moves) {
    const key = nameOf(tree.ownKeyOf, entry.dn, refuse);
    const { uuid } = before;
    tree.put(key, { ...entry, uuid: uuid === identityOfDn(before.dn) ? identityOfDn(entry.dn) : uuid });
  }
}

/** The key of a name that was joined from others; refused if it is too long. */
function nameOf(keyOf: Tree["keyOf"], dn: string, refuse: Refuse): string {
  try {
    return keyOf(dn);
  } catch (error) {
    throw refuse(`invalidDNSyntax: ${reason(error)}`);
  }
}
