import { BerWriter, FilterParser } from "ldapts";
import type { Value } from "../../core/directory/entry.ts";
import { UserError } from "../../core/util/errors.ts";

/** The requests of LDAP (RFC 4511) that a reader of a directory makes. */

/** A control of a request. */
export interface RequestControl {
  readonly type: string;
  readonly critical: boolean;
  readonly value?: Buffer;
}

export interface SearchRequest {
  readonly base: string;
  readonly scope: "base" | "sub";
  /** The filter; every entry by default. */
  readonly filter?: string | Operation | undefined;
  readonly attributes: readonly string[];
  readonly controls?: readonly RequestControl[];
}

/** Writes the operation of a request. */
export type Operation = (writer: BerWriter) => void;

/** The encoded bytes of a request. */
export function request(id: number, operation: Operation, controls: readonly RequestControl[] = []): Buffer {
  const writer = new BerWriter();
  writer.startSequence();
  writer.writeInt(id);
  operation(writer);
  if (controls.length > 0) {
    writer.startSequence(0xa0);
    for (const { type, critical, value } of controls) {
      writer.startSequence();
      writer.writeString(type);
      writer.writeBoolean(critical);
      if (value) writer.writeBuffer(value, 0x04);
      writer.endSequence();
    }
    writer.endSequence();
  }
  writer.endSequence();
  return writer.buffer;
}

export const simpleBind = (dn: string, password: string): Operation =>
  bind(dn, (writer) => writer.writeString(password, 0x80));

/** The bind by which the certificate or the system names the client (RFC 4422, appendix A). */
export const externalBind: Operation = bind("", (writer) => {
  writer.startSequence(0xa3);
  writer.writeString("EXTERNAL");
  writer.writeString("");
  writer.endSequence();
});

function bind(dn: string, credentials: Operation): Operation {
  return (writer) => {
    writer.startSequence(0x60);
    writer.writeInt(3);
    writer.writeString(dn);
    credentials(writer);
    writer.endSequence();
  };
}

export const startTls: Operation = (writer) => {
  writer.startSequence(0x77);
  writer.writeString("1.3.6.1.4.1.1466.20037", 0x80);
  writer.endSequence();
};

// An empty "and" (RFC 4526). An entry whose objectClass is hidden by an access rule does not match (objectClass=*).
const trueForAll = Buffer.alloc(0);

/** A search without limits of the client: they would end a search that never ends by itself. */
export function search({ base, scope, filter, attributes }: SearchRequest): Operation {
  return (writer) => {
    writer.startSequence(0x63);
    writer.writeString(base);
    writer.writeEnumeration(scope === "base" ? 0 : 2);
    writer.writeEnumeration(0); // aliases are entries like others
    writer.writeInt(0);
    writer.writeInt(0);
    writer.writeBoolean(false);
    if (filter === undefined) writer.writeBuffer(trueForAll, 0xa0);
    else if (typeof filter === "function") filter(writer);
    else FilterParser.parseString(filter).write(writer);
    writer.startSequence();
    writer.writeStringArray([...attributes]);
    writer.endSequence();
    writer.endSequence();
  };
}

/** The filter of the entries that have a value of arbitrary bytes (RFC 4511, 4.5.1.7.1). */
export const equals =
  (attribute: string, value: Value): Operation =>
  (writer) => {
    writer.startSequence(0xa3);
    writer.writeString(attribute);
    writer.writeBuffer(Buffer.from(value as string), 0x04);
    writer.endSequence();
  };

/** A filter that can be sent; throws a `UserError` for a malformed one (RFC 4515). */
export function checkedFilter(filter: string): string {
  try {
    FilterParser.parseString(filter).write(new BerWriter());
    return filter;
  } catch (error) {
    throw new UserError(`directory.filter: ${JSON.stringify(filter)} is no LDAP filter`, { cause: error });
  }
}
