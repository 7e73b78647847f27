import { z } from "zod";
import { AbsolutePath, Uid } from "../core/service/columns.ts";
import { type Run, type RunResult, type Select, service } from "../core/service/service.ts";
import { reason } from "../core/util/errors.ts";
import { claiming, selecting } from "./entries.ts";
import { archiveHome, packHome } from "./home/archive.ts";
import { homeContext } from "./home/context.ts";
import { homeLayout } from "./home/layout.ts";
import { homeLedger } from "./home/ledger.ts";
import { requireMembers } from "./home/members.ts";
import { type QuotaSettings, quotaSettings, setQuotas } from "./home/quota.ts";
import { Unfit } from "./home/unfit.ts";
import { type PerHost, path, type ReadyService, readSettings, type Schemas, type Selected } from "./settings.ts";

/** A member's home directory. */
export const homeRow = z.object({ uid: Uid, gid: Uid, home: AbsolutePath });

/** A member's home directory. */
export type HomeRow = {
  /** The uidNumber of the owner. */
  readonly uid: string;
  /** The gidNumber of the group. */
  readonly gid: string;
  /** Absolute path of the home. */
  readonly home: string;
};

/** The settings of `homes`. */
export interface HomesSettings {
  /** The directory above every home, `/home` by default. It must exist. */
  readonly base?: string;
  /** The directory for homes of removed entries, on the same file system; `.archive` in the base by default. */
  readonly archive?: string;
  /** True: an archived home is packed into a `.tar.zst`. False by default. */
  readonly pack?: boolean;
  /** True (the default): a home is given to its uid. False if trigger has no right to do so, as in a trial without root. */
  readonly chown?: boolean;
  /** True (the default): the group of a home is kept at its gidNumber. False if members choose it themselves (chgrp). */
  readonly group?: boolean;
  /** Permission bits of a new home; 0o700 by default. */
  readonly mode?: number;
  /** A directory whose files a new home gets, such as `/etc/skel`; false (the default) for none. */
  readonly skeleton?: string | false;
  /** The first uid that a member may have, 1000 by default: system users below it get no home. */
  readonly firstUid?: number;
  /** The first gid that a home may have, 100 by default: the groups of Debian's own are below it. */
  readonly firstGid?: number;
  /** Ranges of uids and gids that are no member's, the last one included; `[[60000, 65535]]` by default (Debian Policy, 9.2.2). */
  readonly systemIds?: readonly (readonly [first: number, last: number])[];
  /**
   * The places of homes below the base, such as `["*", "students/*"]`: `*` stands for any characters of a name, `?` for one. trigger then
   * makes the folders of these places. By default a home may be in any directory that exists and belongs to the owner of the base.
   */
  readonly layout?: readonly string[];
  /** Names below the base that no home may have, besides hidden ones and those of file systems; none by default. */
  readonly reserved?: readonly string[];
  /** The disk quota of every member, on the file system of the base; false (the default) for none. */
  readonly quota?: QuotaSettings | false;
}

const settings = z.strictObject({
  base: path.default("/home"),
  archive: path.optional(),
  pack: z.boolean("is not true or false").default(false),
  chown: z.boolean("is not true or false").default(true),
  group: z.boolean("is not true or false").default(true),
  mode: z.int().min(0).max(0o7777, "is not a mode, such as 0o700").default(0o700),
  skeleton: path.or(z.literal(false)).default(false),
  firstUid: z.int().min(0).default(1000),
  firstGid: z.int().min(0).default(100),
  systemIds: z
    .array(z.tuple([z.int().min(0), z.int().min(0)], "is not a first and a last number"))
    .default([[60000, 65535]]),
  layout: z
    .array(z.string().regex(/^[^/.\s][^/\s]*(\/[^/.\s][^/\s]*)*$/, "is not a path below the base, such as students/*"))
    .min(1, "is empty: no home would have a place")
    .optional(),
  reserved: z.array(z.string().regex(/^[^/]+$/, "is not a name")).default([]),
  quota: quotaSettings.default(false),
} satisfies Schemas<HomesSettings>);

/** The options of `homes`. */
export interface HomesOptions extends HomesSettings, PerHost<HomesSettings>, Selected<HomeRow> {}

/**
 * Home directories: created for a new account, moved when its homeDirectory changes, archived when the account is removed, never deleted.
 *
 * A home belongs to a uidNumber. An entry with another name but the same number keeps its home, and another number gets another home.
 * An existing directory is adopted if the uid owns it, and refused otherwise. trigger touches no other directory, and follows no symlink
 * below the base.
 * `clock` is another clock than the machine's, for tests.
 *
 * @example
 * ```ts
 * export default homes({ base: "/srv/home", skeleton: "/etc/skel", on: { mail2: { base: "/home" } } });
 * ```
 */
export function homes(options: HomesOptions = {}, clock: { readonly now?: () => Date } = {}): ReadyService<HomeRow> {
  const { now = () => new Date() } = clock;
  const { select, entries, claims, ...given } = options;
  const settingsOf = readSettings("homes", settings, given);
  for (const host of ["", ...Object.keys(given.on ?? {})]) homeLayout(settingsOf(host).layout ?? []);
  return service({
    row: homeRow,
    unique: ["uid", "home"],
    ...claiming("homes", claims),
    select: selecting("homes", accounts, { select, entries }),
    async run(table, host): Promise<RunResult> {
      const { pack, quota, firstUid, firstGid, systemIds, ...places } = settingsOf(host.name);
      const context = await homeContext(host, places);
      const ledger = homeLedger(host.memory);
      const unfit: { key: string; row: HomeRow; why: string }[] = [];
      const failed: string[] = [];
      const attempt = async (home: string, work: () => Promise<void>): Promise<string | undefined> => {
        try {
          await work();
        } catch (error) {
          if (error instanceof Unfit) return error.message;
          host.signal.throwIfAborted();
          failed.push(`${home}: ${reason(error)}`); // the other homes do not wait for this one
        }
        return undefined;
      };

      // An impossible row is detected before any home is archived, so its account keeps its home.
      for (const [key, row] of wantedIn(table)) {
        const why = await attempt(row.home, () => mayBe(row));
        if (why) unfit.push({ key, row, why });
      }
      const kept = new Set(unfit.map(({ key }) => key));
      const { gone, wanted } = taskOf(table, kept, () => [...ledger.homes().keys()]);

      for (const uid of gone) {
        const home = ledger.get(uid);
        if (home === undefined) continue;
        const why = await attempt(home, () => leave(uid, home));
        if (why) host.log(`${home} is left alone: ${why}`);
        ledger.delete(uid);
      }
      // A home may move to a place that another one leaves, so moves whose place is taken are tried again as long as
      // some succeed.
      let refused: { key: string; row: HomeRow; why: string }[] = [];
      for (let left = wanted; ; left = refused.map(({ key, row }) => [key, row] as const)) {
        refused = [];
        for (const [key, row] of left) {
          const why = await attempt(row.home, () => settle(row));
          if (why) refused.push({ key, row, why });
        }
        if (refused.length === 0 || refused.length === left.length) break;
      }
      if (quota) {
        const kept = new Set([...unfit, ...refused].map(({ key }) => key));
        const uids = wanted.flatMap(([key, { uid }]) => (kept.has(key) ? [] : [uid]));
        await setQuotas(host, { base: places.base, quota, uids, all: !table.changes });
      }
      if (failed.length > 0) throw new Error(`${failed.length} homes failed, the others are in place: ${failed[0]}`);
      return { refused: [...unfit, ...refused].map(({ key, why }) => ({ key, why })) };

      async function mayBe({ uid, gid, home }: HomeRow): Promise<void> {
        requireMembers({ firstUid, firstGid, systemIds }, uid, gid);
        await context.place(home);
      }

      async function leave(uid: string, home: string): Promise<void> {
        if (!(await context.owns(home, uid))) return;
        const place = await archiveHome(host, { home, uid, archive: context.archive, today: now() });
        host.log(`${home} is now ${place}`);
        if (pack) await packHome(host, place);
      }

      async function settle({ uid, gid, home }: HomeRow): Promise<void> {
        const place = await context.place(home);
        const known = ledger.get(uid);
        const member = { uid: Number(uid), gid: Number(gid) };
        // A home that belongs to root is given back to its owner. A home of another member stays that member's.
        await context.give(place, member, (other) => known === place && ledger.get(other) === undefined);
        if (await context.owns(place, uid)) {
          if (known === undefined) host.log(`${place} exists and belongs to uid ${uid}: it is adopted as a home`);
        } else {
          if (known !== undefined && known !== place && (await context.owns(known, uid)))
            await context.move(known, place);
          else await context.create(place, member);
        }
        ledger.set(uid, place);
      }
    },
    async observe(host) {
      const { base, chown, group } = settingsOf(host.name);
      const real = await host.files.resolve(base);
      const found: Partial<HomeRow>[] = [];
      for (const [uid, place] of homeLedger(host.memory).homes()) {
        const there = await host.files.stat(place);
        if (there?.kind !== "directory") continue;
        // A row may name the base by a symlink or by its target. Only without a symlink is the name certain.
        const home = real === base ? { home: place } : {};
        const owner = chown ? String(there.uid) : uid;
        found.push({ uid: owner, ...(chown && (group || owner !== uid) ? { gid: String(there.gid) } : {}), ...home });
      }
      return found;
    },
  });
}

type Keyed = readonly [key: string, row: HomeRow];

/** The rows whose homes must exist: the changed ones, or all if the state is unknown. */
function wantedIn({ rows, changes }: Run<HomeRow>): Iterable<Keyed> {
  return changes ? changes.flatMap(({ key, after }) => (after ? [[key, after] as const] : [])) : rows.entries();
}

/**
 * The work of a run without the retained keys: the uids whose homes are archived, and the rows whose homes must exist.
 */
function taskOf(
  table: Run<HomeRow>,
  kept: ReadonlySet<string>,
  known: () => string[],
): { gone: string[]; wanted: Keyed[] } {
  const all = [...wantedIn(table)];
  const wanted = all.filter(([key]) => !kept.has(key));
  // With an unknown state every row counts, also a retained one: its home must stay.
  const stay = new Set((table.changes ? wanted : all).map(([, { uid }]) => uid));
  const moved = table.changes?.filter(({ key }) => !kept.has(key));
  const before = moved ? moved.flatMap((change) => (change.before ? [change.before.uid] : [])) : known();
  return { gone: [...new Set(before)].filter((uid) => !stay.has(uid)), wanted };
}

/** The accounts of RFC 2307. */
const accounts: Select<z.input<typeof homeRow>> = (entry) => {
  if (!entry.is("posixAccount")) return;
  return { uid: entry.one("uidNumber"), gid: entry.one("gidNumber"), home: entry.one("homeDirectory") };
};
