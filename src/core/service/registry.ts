import { UserError } from "../util/errors.ts";
import { unknown } from "../util/nearest.ts";
import { wrongBody } from "../util/wrong-body.ts";
import type { Host } from "./host-api.ts";
import type { Service } from "./service.ts";

/** The services of one host, found by their names. */
export interface Registry {
  /** Records `service` under the name `about`. */
  record(about: string, service: Service): void;
  /** Finds the service with the name `about`, and returns the function that handles the body of a message for it. */
  trigger(about: string): (body: unknown) => Promise<void>;
}

/**
 * Makes an empty registry of `host`, in which services are recorded and found by their names.
 *
 * @example
 * ```ts
 * const { record, trigger } = registry(host);
 * record("siren", service(z.object({ on: z.boolean() }), async ({ on }, host) => host.log(on ? "on" : "off")));
 * await trigger("siren")({ on: true });
 * ```
 */
export function registry(host: Host): Registry {
  const services = new Map<string, Service>();
  return {
    record(about, service) {
      if (services.has(about)) throw new UserError(`service "${about}" is recorded twice`);
      services.set(about, service);
    },
    trigger(about) {
      const service = services.get(about);
      if (!service) throw new UserError(unknown("service", about, services.keys()));
      if ("table" in service) {
        throw new UserError(
          `${about}: its rows are computed from the directory: change an entry, or \`trigger regen ${about}\``,
        );
      }
      const { schema, handle } = service.plain;
      return async (body) => {
        const read = schema.safeParse(body);
        if (!read.success) throw new UserError(`${about}: ${wrongBody(read.error)}`);
        await handle(read.data, host);
      };
    },
  };
}
