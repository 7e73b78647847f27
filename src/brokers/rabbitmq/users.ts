import type { BrokerUser } from "../../core/config/permissions.ts";
import { exchange } from "../../core/stream/routing.ts";

/**
 * The shell commands that an administrator runs on a node of RabbitMQ to make users, or to bring old ones up to date.
 * They stop at the first error and may be run again. No password is an argument, which other users of the machine could see.
 * A new user gets its password once its rights are there.
 */
export const commandsOf = (users: readonly BrokerUser[], vhost: string): string =>
  [preparation(vhost), ...users.map(commandOf)].join("\n");

/**
 * The commands that come first. RabbitMQ 4.3 takes no rights to keys of a missing exchange, and without them every key
 * is allowed.
 * Hence the exchange is made first, and the rights are read back.
 */
const preparation = (vhost: string): string => `# Run this on a RabbitMQ node: sh users.sh
set -eu
umask 077
vhost=${quoted(vhost)}
tab=$(printf '\\t')

# The exchange comes first: RabbitMQ 4.3 takes no rights to the keys of a missing one.
definitions=$(mktemp /tmp/trigger.XXXXXX)
trap 'rm -f "$definitions"' EXIT
printf %s ${quoted(exchangeDefinition(vhost))} > "$definitions"
chmod 644 "$definitions" # rabbitmqctl may read it as another user
rabbitmqctl -q import_definitions "$definitions"
tries=1
until rabbitmqctl -s list_exchanges -p "$vhost" name type durable | grep -qxF "${exchange}\${tab}topic\${tab}true"; do
  if [ $tries -ge 10 ]; then
    echo "the exchange ${exchange} is not durable and of type topic: delete it, and run this again" >&2
    exit 1
  fi
  tries=$((tries + 1))
  sleep 1
done

# RabbitMQ 4 drops a message after 21 deliveries from a quorum queue that was made under 3.x, unless a policy forbids it.
# RabbitMQ 3 reads -1 as "never deliver again".
# From 4.3 on, a consumer whose node is lost keeps its queue for a minute, unless the queue or a policy says otherwise.
version=$(rabbitmqctl -s status --formatter json | sed -n 's/.*"rabbitmq_version": *"\\([0-9]*\\)\\.\\([0-9]*\\)\\..*/\\1 \\2/p')
: "\${version:?rabbitmqctl status says no version of RabbitMQ}"
major=\${version% *}
minor=\${version#* }
policy=$(rabbitmqctl -s list_policies -p "$vhost" | awk -F "$tab" '$2 == "${exchange}" { print $5 }')
wanted=
if [ "$major" -gt 4 ] || { [ "$major" -eq 4 ] && [ "$minor" -ge 3 ]; }; then
  wanted=${quoted(endlessAndQuick)}
elif [ "$major" -eq 4 ]; then
  wanted=${quoted(endless)}
fi
# A policy that an administrator has changed stays as it is.
if [ -n "$wanted" ] && { [ -z "$policy" ] || [ "$policy" = ${quoted(endless)} ]; } && [ "$policy" != "$wanted" ]; then
  ${quorumPolicy('"$vhost"', '"$wanted"')}
fi

# No queue of trigger's grows beyond these limits, even one that another user declared. Limits that an administrator has set stay.
if ! rabbitmqctl -s list_operator_policies -p "$vhost" | cut -f 2 | grep -qxF ${exchange}; then
  rabbitmqctl -q set_operator_policy -p "$vhost" --apply-to queues ${exchange} '^${exchange}[-.]' ${quoted(largestQueue)}
fi

users=$(rabbitmqctl -s list_users)

# NAME CONFIGURE WRITE READ WRITE-KEYS READ-KEYS: sets the rights of a user, and makes a missing user.
# A new user has a throw-away password until its rights are set. A file that ends in .new is the leftover of an aborted run.
# (rabbitmqctl gets no option where it reads its input: with one, version 4.3 reads nothing.)
user() {
  if ! printf '%s\\n' "$users" | cut -f 1 | grep -qxF -e "$1"; then
    openssl rand -hex 24 > "$1.password.new"
    openssl rand -hex 24 | rabbitmqctl add_user "$1" > /dev/null
  fi
  rabbitmqctl -q set_topic_permissions -p "$vhost" "$1" ${exchange} "$5" "$6"
  if ! rabbitmqctl -s list_user_topic_permissions "$1" | grep -qxF -e "$vhost\${tab}${exchange}\${tab}$5\${tab}$6"; then
    echo "RabbitMQ did not take the rights of $1 to keys: it gets no other right, and no new password" >&2
    exit 1
  fi
  # A limit that an administrator has set stays, such as one that keeps the user out.
  if [ "$(rabbitmqctl -s list_user_limits --user "$1" | tr -d ' \\n')" = '{}' ]; then
    rabbitmqctl -q set_user_limits "$1" ${quoted(mostConnections)}
  fi
  rabbitmqctl -q set_permissions -p "$vhost" "$1" "$2" "$3" "$4"
  if [ -e "$1.password.new" ]; then
    rabbitmqctl change_password "$1" < "$1.password.new" > /dev/null
    mv "$1.password.new" "$1.password"
    echo "$1: its password is in $1.password"
  fi
}
`;

/**
 * The limits of every queue of trigger's, as an operator policy: those of the largest one. The bytes are of bodies.
 * https://www.rabbitmq.com/docs/policies#operator-policies
 */
const largestQueue = JSON.stringify({ "max-length": 10_000, "max-length-bytes": 64 * 1024 * 1024 });

/**
 * The limits of a user. A host has two connections, with a channel for each queue; each command that it runs has two more.
 * https://www.rabbitmq.com/docs/user-limits
 */
const mostConnections = JSON.stringify({ "max-connections": 50, "max-channels": 1_000 });

/** The policy that keeps messages after any number of deliveries, as RabbitMQ lists it. */
const endless = '{"delivery-limit":-1}';
/**
 * The same policy, by which a consumer whose node is lost keeps its queue for one second only. RabbitMQ 4.2 and older refuse
 * it.
 */
const endlessAndQuick = '{"consumer-disconnected-timeout":1000,"delivery-limit":-1}';

/**
 * The command that sets the policy to keep messages after any number of deliveries. `vhost` is quoted for the shell.
 * The policy applies to no foreign queue.
 */
export const keepsDeliveries = (vhost: string): string => quorumPolicy(vhost, quoted('{"delivery-limit": -1}'));

const quorumPolicy = (vhost: string, definition: string): string =>
  `rabbitmqctl set_policy -p ${vhost} --apply-to quorum_queues ${exchange} '^${exchange}[-.]' ${definition}`;

function commandOf(user: BrokerUser): string {
  const rights = [user.configure, user.write, user.read, user.topicWrite, user.topicRead];
  return `# ${user.purpose}\nuser ${[user.name, ...rights].map(quoted).join(" ")}\n`;
}

/** The exchange as brokers declare it. */
const exchangeDefinition = (vhost: string): string =>
  JSON.stringify({
    exchanges: [
      { name: exchange, vhost, type: "topic", durable: true, auto_delete: false, internal: false, arguments: {} },
    ],
  });

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
