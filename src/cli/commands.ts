import { adopt } from "./adopt.ts";
import { approve } from "./approve.ts";
import { audit } from "./audit.ts";
import { check } from "./check.ts";
import type { Command } from "./command.ts";
import { diff } from "./diff.ts";
import { downgrade } from "./downgrade.ts";
import { drop } from "./drop.ts";
import { forecast } from "./forecast.ts";
import { forget } from "./forget.ts";
import { hold } from "./hold.ts";
import { init } from "./init.ts";
import { key } from "./key.ts";
import { modify } from "./modify.ts";
import { permissions } from "./permissions.ts";
import { plan } from "./plan.ts";
import { regen } from "./regen.ts";
import { retry } from "./retry.ts";
import { seed } from "./seed.ts";
import { send } from "./send.ts";
import { status } from "./status.ts";
import { testServices } from "./test.ts";
import { tryService } from "./try.ts";
import { up } from "./up.ts";
import { verify } from "./verify.ts";

/** All commands, in the order of the help. */
export const commands: readonly Command[] = [
  ...[init, check, up, status, diff, plan, tryService, testServices, forecast, send],
  ...[modify, seed, verify, regen, retry, drop, hold, approve, adopt, audit, forget, permissions, key, downgrade],
];

/** The help of the whole command line. */
export const help = `trigger: the directory changes; every machine of the network follows.

Usage: trigger COMMAND [words] [options]

Commands
${commands.map(({ name, summary }) => `  ${name.padEnd(11)} ${summary}`).join("\n")}

\`trigger COMMAND --help\` prints the help of a command; \`trigger --version\` (-V) prints the version of trigger and of Node.

Exit codes
  0  well
  1  late or held (status); a difference or a refusal (plan, try); a mistake (check)
  2  failing (status); the command could not be done
 64  the command was not understood
`;
