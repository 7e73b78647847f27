import type { BerWriter } from "ldapts";
import type { Attributes, Value } from "../../core/directory/entry.ts";
import type { Operation } from "./requests.ts";
import { answers } from "./result.ts";

/** A change of an entry, as a change record of LDIF says it. */
export type Change =
  | { readonly kind: "add"; readonly dn: string; readonly attributes: Attributes }
  | { readonly kind: "delete"; readonly dn: string }
  | { readonly kind: "modify"; readonly dn: string; readonly modifications: readonly Modification[] }
  | {
      readonly kind: "rename";
      readonly dn: string;
      readonly newRdn: string;
      readonly deleteOldRdn: boolean;
      /** The DN of the new parent; the present parent by default. */
      readonly newSuperior?: string;
    };

/** One step of a modification. */
export interface Modification {
  /** The kind of step (RFC 4511, 4.6). */
  readonly kind: "add" | "delete" | "replace";
  /** The name of the attribute. */
  readonly attribute: string;
  /** The values that are added, deleted, or put in place of all. An empty list deletes the attribute. */
  readonly values: readonly Value[];
}

/** The operation of a change (RFC 4511, 4.6 to 4.9), and the tag of its answer. */
export function changeRequest(change: Change): { readonly operation: Operation; readonly answer: number } {
  switch (change.kind) {
    case "add":
      return { operation: add(change.dn, change.attributes), answer: answers.add };
    case "delete":
      return { operation: (writer) => writer.writeString(change.dn, 0x4a), answer: answers.delete };
    case "modify":
      return { operation: modify(change.dn, change.modifications), answer: answers.modify };
    case "rename":
      return { operation: rename(change), answer: answers.rename };
  }
}

const add =
  (dn: string, attributes: Attributes): Operation =>
  (writer) => {
    writer.startSequence(0x68);
    writer.writeString(dn);
    writer.startSequence();
    for (const [name, values] of attributes) writeAttribute(writer, name, values);
    writer.endSequence();
    writer.endSequence();
  };

const kinds = ["add", "delete", "replace"];

const modify =
  (dn: string, modifications: readonly Modification[]): Operation =>
  (writer) => {
    writer.startSequence(0x66);
    writer.writeString(dn);
    writer.startSequence();
    for (const { kind, attribute, values } of modifications) {
      writer.startSequence();
      writer.writeEnumeration(kinds.indexOf(kind));
      writeAttribute(writer, attribute, values);
      writer.endSequence();
    }
    writer.endSequence();
    writer.endSequence();
  };

const rename =
  ({ dn, newRdn, deleteOldRdn, newSuperior }: Change & { kind: "rename" }): Operation =>
  (writer) => {
    writer.startSequence(0x6c);
    writer.writeString(dn);
    writer.writeString(newRdn);
    writer.writeBoolean(deleteOldRdn);
    if (newSuperior !== undefined) writer.writeString(newSuperior, 0x80);
    writer.endSequence();
  };

function writeAttribute(writer: BerWriter, name: string, values: readonly Value[]): void {
  writer.startSequence();
  writer.writeString(name);
  writer.startSequence(0x31);
  for (const value of values) writer.writeBuffer(Buffer.from(value as string), 0x04);
  writer.endSequence();
  writer.endSequence();
}
