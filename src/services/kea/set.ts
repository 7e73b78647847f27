import { shownMoves } from "../records.ts";
import { acceptedMoves, type PlacedMove, placeMoves } from "./moves.ts";
import { contents } from "./reservation.ts";
import { holders, type Kea, type Way } from "./ways.ts";

/**
 * The way that every Kea has: its running configuration with other reservations, by config-test, config-set and config-write.
 * All the changes of a run are one configuration. The cost grows with the length of the configuration.
 */
export function byConfigSet(kea: Kea): Way {
  const { config, control } = kea;
  const withMoves = (moves: readonly PlacedMove[]): object =>
    config.with(new Map(moves.map(({ name, to }) => [name, to])));
  return {
    keep: kea.keep,
    async look() {
      return contents(config.reservations);
    },
    async write(moves) {
      const refused = new Map<string, string>();
      const placed = placeMoves(moves, kea, holders(config.reservations), refused);
      if (placed.length === 0) return refused;
      // Only a tested configuration is set: after a config-set that fails, Kea runs on and serves no client.
      const test = async (some: readonly PlacedMove[]): Promise<string | undefined> => {
        const { result, text } = await control.ask("config-test", withMoves(some));
        return result === 0 ? undefined : text;
      };
      const good = await acceptedMoves(placed, test, refused);
      if (good.length === 0) return refused;
      const set = await control.tell("config-set", withMoves(good), shownMoves(good));
      if (set.result !== 0) {
        const back = await control.tell("config-set", withMoves([]));
        const after =
          back.result === 0 ? "the configuration that it had is set again" : `and it serves no client: ${back.text}`;
        throw new Error(`Kea's config-set: ${set.text} (${after})`);
      }
      await kea.keep();
      return refused;
    },
  };
}
