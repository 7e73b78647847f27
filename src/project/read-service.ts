import type { Service } from "../core/service/service.ts";
import { UserError } from "../core/util/errors.ts";
import { unknown } from "../core/util/nearest.ts";
import { shown } from "../core/util/shown.ts";

const words = ["row", "unique", "claims", "secret", "refused", "shared", "pace", "daemon", "select", "run", "observe"];
const functions = ["select", "claims", "run", "observe"];
const columnLists = ["unique", "secret"];

/** Reads the export of a service's file. The types demand the same, but a project runs without a type check. */
export function readService(value: unknown, file: string): Service {
  const wrong = (what: string): never => {
    throw new UserError(`${file}: ${what}`);
  };
  const { table, plain } = fieldsOf(value);
  if (!isObject(table) && !isObject(plain)) {
    return wrong("its default export is not a service: export default service({ … })");
  }
  const fields = fieldsOf(table ?? plain);
  if (plain) {
    if (!isSchema(fields.schema)) wrong("service(schema, handle): expected a schema, such as z.object({ … })");
    return value as Service;
  }
  for (const word of Object.keys(fields)) if (!words.includes(word)) wrong(unknown("option of a service", word, words));
  for (const word of ["row", "select", "run"]) if (fields[word] === undefined) wrong(`the service has no ${word}`);
  if (!isSchema(fields.row)) wrong("row: expected z.object({ … })");
  for (const word of functions) {
    const given = fields[word];
    if (given !== undefined && typeof given !== "function")
      wrong(`${word}: expected a function, found ${typeof given}`);
  }
  if (fields.refused !== undefined && fields.refused !== "remove" && !isNames(fields.refused))
    wrong(`refused: expected "remove", a list of names, or nothing for rows that stay, found ${shown(fields.refused)}`);
  // A misspelt column would be neither unique nor secret.
  const columns = Object.keys(fieldsOf(fieldsOf(fields.row).shape));
  for (const word of columnLists) {
    const given = fields[word] ?? [];
    if (!Array.isArray(given)) return wrong(`${word}: expected a list of columns, found ${typeof given}`);
    const misspelt = given.find((column) => columns.length > 0 && !columns.includes(column));
    if (misspelt !== undefined) wrong(`${word}: ${unknown("column", String(misspelt), columns)}`);
  }
  return value as Service;
}

const isNames = (value: unknown): boolean =>
  Array.isArray(value) && value.every((name) => typeof name === "string" && name !== "");
const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;
const isSchema = (value: unknown): boolean => typeof fieldsOf(value).safeParse === "function";
const fieldsOf = (value: unknown): Record<string, unknown> =>
  isObject(value) ? (value as Record<string, unknown>) : {};
