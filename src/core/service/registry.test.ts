import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { UserError } from "../util/errors.ts";
import type { Host } from "./host-api.ts";
import { registry } from "./registry.ts";
import { type Service, service } from "./service.ts";

const host = { name: "civet" } as Host;

function scene() {
  const handled: [body: unknown, on: string][] = [];
  const services = registry(host);
  const secours = service(z.object({ on: z.boolean() }), async (body, { name }) => void handled.push([body, name]));
  const dhcp = service({ row: z.object({ ip: z.string() }), select: () => undefined, async run() {} });
  services.record("secours", secours as Service);
  services.record("dhcp", dhcp as unknown as Service);
  return { ...services, handled };
}

test("a service recorded under a name is triggered by it, with its host", async () => {
  const { trigger, handled } = scene();
  await trigger("secours")({ on: true });
  assert.deepEqual(handled, [[{ on: true }, "civet"]]);
});

test("an error of a handler is thrown to its caller", async () => {
  const { record, trigger } = registry(host);
  record(
    "broken",
    service(z.unknown(), async () => Promise.reject(new Error("no route"))),
  );
  await assert.rejects(trigger("broken")(1), /no route/);
});

test("an unknown name is an error that names the known ones", () => {
  const { trigger } = scene();
  assert.throws(() => trigger("secour"), {
    name: "UserError",
    message: 'unknown service "secour" (known: dhcp, secours); did you mean "secours"?',
  });
});

test("a service with a table is not triggered, and the error names the remedy", () => {
  const { trigger } = scene();
  assert.throws(() => trigger("dhcp"), {
    name: "UserError",
    message: "dhcp: its rows are computed from the directory: change an entry, or `trigger regen dhcp`",
  });
});

test("a body that fails its schema is refused by service and column", async () => {
  const { trigger, handled } = scene();
  await assert.rejects(trigger("secours")({ on: "yes" }), (error: Error) => {
    assert.ok(error instanceof UserError);
    assert.match(error.message, /^secours: on: .*expected boolean/);
    assert.doesNotMatch(error.message, /\n/);
    return true;
  });
  assert.deepEqual(handled, []);
});

test("two services cannot have one name", () => {
  const { record } = scene();
  assert.throws(
    () =>
      record(
        "secours",
        service(z.unknown(), async () => {}),
      ),
    /service "secours" is recorded twice/,
  );
});
