import { UserError } from "../core/util/errors.ts";
import { readLdif } from "../daemon/read-file.ts";
import type { ChangeRecord } from "../directories/ldif/record.ts";
import { readRecords } from "../directories/ldif/records.ts";

/** Reads the change records of an LDIF file. Throws a `UserError` for a record of another kind. */
export function readChanges(file: string): ChangeRecord[] {
  return readRecords(readLdif(file), file).map((record) => {
    if (record.kind !== "content") return record;
    throw new UserError(
      `${file}:${record.line}: ${record.dn}: expected "changetype:" after the DN, as ldapmodify does`,
    );
  });
}
