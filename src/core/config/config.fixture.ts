import assert from "node:assert/strict";
import { UserError } from "../util/errors.ts";
import { readConfig } from "./config.ts";

/** The file that the configs of tests are said to be. */
export const file = "/etc/trigger/trigger.config.ts";

/** A config without a mistake. */
export const right = {
  directory: { ldif: "campus.ldif" },
  hosts: { dhcp1: ["dhcp"], ns1: ["dns", "dhcp"], civet: ["event"] },
};

/** The sentence on a config that differs from the right one in some options, without the name of the file. */
export function wrong(differs: object): string {
  try {
    readConfig({ ...right, ...differs }, file);
  } catch (error) {
    assert.ok(error instanceof UserError, String(error));
    assert.ok(error.message.startsWith(`${file}: `), error.message);
    assert.equal(error.message.split("\n").length, 1);
    assert.ok(error.message.length < 400, error.message);
    return error.message.slice(file.length + 2);
  }
  return assert.fail("it is accepted");
}
