/** Bytes of the table of tables at the head of a cdb: 256 of position and length (cdb.cr.yp.to/cdb.txt). */
const headLength = 2048;

/** The records of a constant database, in order; undefined if the bytes are no cdb. postmap has no listing of them. */
export function readCdb(bytes: Uint8Array): Map<string, string> | undefined {
  if (bytes.length < headLength) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // The first hash table follows the last record.
  let end = bytes.length;
  for (let at = 0; at < headLength; at += 8) end = Math.min(end, view.getUint32(at, true));
  const records = new Map<string, string>();
  let at = headLength;
  while (at + 8 <= end) {
    const [keyLength, valueLength] = [view.getUint32(at, true), view.getUint32(at + 4, true)];
    const [key, value] = [at + 8, at + 8 + keyLength];
    at = value + valueLength;
    if (at > end) return undefined;
    records.set(text(bytes.subarray(key, value)), text(bytes.subarray(value, at)));
  }
  return at === end ? records : undefined;
}

/** The text without a final null byte, which Postfix writes for other programs that read its maps. */
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes).replace(/\0$/, "");
