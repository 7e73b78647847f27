import { boundsRemovals } from "./list/bounds.ts";
import { coreRemovals } from "./list/core.ts";
import { directoriesRemovals } from "./list/directories.ts";
import { followRemovals } from "./list/follow.ts";
import { hostRemovals } from "./list/host.ts";
import { hostPartsRemovals } from "./list/host-parts.ts";
import { hostRunsRemovals } from "./list/host-runs.ts";
import { installRemovals } from "./list/install.ts";
import { installFolderRemovals } from "./list/install-folder.ts";
import { ldapRemovals } from "./list/ldap.ts";
import { machinesRemovals } from "./list/machines.ts";
import { membersRemovals } from "./list/members.ts";
import { networkRemovals } from "./list/network.ts";
import { oddRemovals } from "./list/odd.ts";
import { outsideRemovals } from "./list/outside.ts";
import { removalsRemovals } from "./list/removals.ts";
import { rightsRemovals } from "./list/rights.ts";
import { sqliteRemovals } from "./list/sqlite.ts";
import { tablesRemovals } from "./list/tables.ts";
import { transcriberRemovals } from "./list/transcriber.ts";
import type { Removal } from "./removal.ts";

/** All safeguards whose removal is played. */
export const removals: readonly Removal[] = [
  ...followRemovals,
  ...coreRemovals,
  ...tablesRemovals,
  ...transcriberRemovals,
  ...hostRunsRemovals,
  ...hostPartsRemovals,
  ...hostRemovals,
  ...removalsRemovals,
  ...installRemovals,
  ...installFolderRemovals,
  ...sqliteRemovals,
  ...ldapRemovals,
  ...directoriesRemovals,
  ...machinesRemovals,
  ...rightsRemovals,
  ...oddRemovals,
  ...networkRemovals,
  ...outsideRemovals,
  ...membersRemovals,
  ...boundsRemovals,
];
