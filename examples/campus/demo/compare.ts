import { servicesOf } from "../../../src/core/config/config.ts";
import { isSame } from "../../../src/core/service/compare.ts";
import { serviceDifference } from "../../../src/daemon/diff.ts";
import { loadServices } from "../../../src/project/project.ts";
import type { Screen } from "./screen.ts";
import type { Campus } from "./start.ts";

/** Compares what every host really has, in its daemon or its files, with its rows: what `trigger diff` does. */
export async function compare({ project, places }: Campus, signal: AbortSignal, show: Screen): Promise<void> {
  const { services } = await loadServices(project, servicesOf(project.config));
  const log = (): void => {};
  for (const { host, service } of places) {
    const definition = services.get(service);
    if (!definition || !("table" in definition)) continue;
    const found = await serviceDifference(project, host, service, definition.table, { signal, log });
    signal.throwIfAborted();
    const { observed, failed, noted } = found;
    const files = noted.files.length;
    if (failed !== undefined || files > 0 || (observed && !isSame(observed))) {
      throw new Error(
        `${host} ${service} is not as its rows: ${failed ?? `trigger diff ${service} shows the differences`}`,
      );
    }
  }
  show.same(places);
}
