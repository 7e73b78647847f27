import { BerReader, readHead, sequence } from "../../core/util/ber.ts";

/** A message of a server (RFC 4511, 4.1.1). */
export interface Message {
  /** The number of the answered request; 0 for an unsolicited message. */
  readonly id: number;
  /** The kind of the message: the tag of its operation. */
  readonly operation: number;
  readonly body: BerReader;
  /** The values of the controls, by object identifier. */
  readonly controls: ReadonlyMap<string, Buffer>;
  /** The size in bytes. */
  readonly size: number;
}

/**
 * The longest message that is read, in bytes. An entry of 100,000 long values fits; a length of 4 GB on the wire is an
 * attack or no LDAP.
 */
export const longestMessage = 64 * 1024 * 1024;

/** Cuts the bytes of a connection into messages. Chunks are joined once, when a message is complete. */
export function messageCutter(limit = longestMessage): (chunk: Buffer) => Message[] {
  let pieces: Buffer[] = [];
  let held = 0;
  let wanted = 2; // the number of bytes until the next check

  return (chunk) => {
    pieces.push(chunk);
    held += chunk.length;
    if (held < wanted) return [];
    let bytes = pieces.length === 1 ? chunk : Buffer.concat(pieces);
    const messages: Message[] = [];
    for (wanted = 2; bytes.length >= wanted; wanted = 2) {
      const size = sizeOf(bytes);
      if (size !== undefined && size > limit) {
        throw new Error(`the server sends a message of ${size} bytes, the limit is ${limit}: it is not read`);
      }
      wanted = size ?? bytes.length + 1;
      if (bytes.length < wanted) break;
      messages.push(readMessage(bytes.subarray(0, wanted)));
      bytes = bytes.subarray(wanted);
    }
    pieces = bytes.length > 0 ? [bytes] : [];
    held = bytes.length;
    return messages;
  };
}

/** The length of the message that begins here, in bytes; undefined while its head is incomplete. */
function sizeOf(bytes: Buffer): number | undefined {
  if (bytes[0] !== sequence) throw new Error(`the server speaks no LDAP: a message begins with the byte ${bytes[0]}`);
  const head = readHead(bytes, 0, bytes.length);
  return head && head.start + head.length;
}

const controlsTag = 0xa0;

function readMessage(bytes: Buffer): Message {
  const reader = new BerReader(bytes).inside(sequence, "a message");
  const id = reader.integer("the number of a message");
  const operation = reader.tag ?? 0;
  const body = reader.inside(operation, "an operation");
  return {
    id,
    operation,
    body,
    controls: reader.tag === controlsTag ? readControls(reader) : none,
    size: bytes.length,
  };
}

const none: ReadonlyMap<string, Buffer> = new Map();

function readControls(reader: BerReader): Map<string, Buffer> {
  const controls = new Map<string, Buffer>();
  const list = reader.inside(controlsTag, "controls");
  while (list.more) {
    const control = list.inside(sequence, "a control");
    const type = control.text("the type of a control");
    if (control.tag === 0x01) control.boolean("the criticality of a control");
    controls.set(type, control.more ? control.bytes(0x04, "the value of a control") : empty);
  }
  return controls;
}

const empty = Buffer.alloc(0);
