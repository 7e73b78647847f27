import type { Removal } from "../removal.ts";

const scriptTests = ["test/integration/user-commands.test.ts"];
const brokerTests = ["src/brokers/rabbitmq/rights.test.ts"];

export const rightsRemovals: readonly Removal[] = [
  {
    id: "hosts-configure-nothing",
    guards: "a host's user makes no queue and no exchange",
    without: "a host binds an exchange of its own and publishes any key to all",
    file: "src/core/permissions.ts",
    edits: [
      [
        "    configure: only([]),\n    write: only([exchange]),\n    read: only(queues),",
        "    configure: only(queues),\n    write: only([exchange]),\n    read: only(queues),",
      ],
    ],
    tests: ["src/core/permissions.test.ts"],
  },
  {
    id: "hosts-write-to-exchange",
    guards: "a host's user writes to the exchange alone",
    without: "a host binds thousands of keys to its queue",
    file: "src/core/permissions.ts",
    edits: [
      [
        "    write: only([exchange]),\n    read: only(queues),",
        "    write: only([exchange, ...queues]),\n    read: only(queues),",
      ],
    ],
    tests: ["src/core/permissions.test.ts"],
  },
  {
    id: "hosts-read-queues",
    guards: "a host's user reads its own queues, and not the exchange",
    without: "a host binds what is not its own",
    file: "src/core/permissions.ts",
    edits: [["    read: only(queues),\n", "    read: only([exchange, ...queues]),\n"]],
    tests: ["src/core/permissions.test.ts"],
  },
  {
    id: "users-stop",
    guards: "the script of users stops at the first error",
    without: "users are made without their rights to keys, and publish every key",
    file: "src/core/user-commands.ts",
    edits: [["set -eu\n", "set -u\n"]],
    tests: scriptTests,
  },
  {
    id: "users-rights-seen",
    guards: "the rights to keys are looked at before any other is given",
    without: "a server that did not take them lets the user publish every key",
    file: "src/core/user-commands.ts",
    edits: [['no other right, and no new password" >&2\n    exit 1\n', 'no other right, and no new password" >&2\n']],
    tests: scriptTests,
  },
  {
    id: "users-password-last",
    guards: "a new user has a password that nobody has until its rights are there",
    without: "a run that is cut short leaves a user that may publish every key",
    file: "src/core/user-commands.ts",
    edits: [
      [
        'openssl rand -hex 24 | rabbitmqctl add_user "$1" > /dev/null',
        'rabbitmqctl add_user "$1" < "$1.password.new" > /dev/null',
      ],
    ],
    tests: scriptTests,
  },
  {
    id: "users-go-on",
    guards: "a run of the script ends what one before it left half done",
    without: "a user stays without a password that anybody has",
    file: "src/core/user-commands.ts",
    edits: [
      [
        '  if [ -e "$1.password.new" ]; then\n',
        '  if ! printf \'%s\\\\n\' "$users" | cut -f 1 | grep -qxF -e "$1"; then\n',
      ],
    ],
    tests: scriptTests,
  },
  {
    id: "users-exchange-kind",
    guards: "the script stops where the exchange is not trigger's",
    without: "users are made for an exchange that no transcriber can use",
    file: "src/core/user-commands.ts",
    edits: [['delete it, and run this again" >&2\n    exit 1\n', 'delete it, and run this again" >&2\n    break\n']],
    tests: scriptTests,
  },
  {
    id: "policy-from-4",
    guards: "the policy on deliveries is set on RabbitMQ 4 alone",
    without: "RabbitMQ 3 drops each message when it comes for the second time",
    file: "src/core/user-commands.ts",
    edits: [
      ['[ "$major" -ge 4 ] &&', '[ "$major" -ge 3 ] &&'],
      ["--apply-to quorum_queues ", ""],
    ],
    tests: scriptTests,
  },
  {
    id: "ask-for-missing",
    guards: "a host asks for its queue that is gone",
    without: "a deleted queue of one host of several stays away until a restart",
    file: "src/brokers/rabbitmq/broker.ts",
    edits: [['missing: (name) => ask(name, "gone")', "missing: () => {}"]],
    tests: brokerTests,
  },
  {
    id: "ask-for-silent",
    guards: "a host that may not delete its silent queue has it made anew",
    without: "a table stands still until a person deletes its queue",
    file: "src/brokers/rabbitmq/broker.ts",
    edits: [['askFor: (name) => ask(name, "silent")', "askFor: () => {}"]],
    tests: brokerTests,
  },
  {
    id: "ask-for-own",
    guards: "a host asks for its own queues alone",
    without: "a host has the queues of others deleted",
    file: "src/brokers/rabbitmq/asks.ts",
    edits: [["  if (!isOwnQueue(queue, user))", '    if (user === "nobody")']],
    tests: brokerTests,
  },
  {
    id: "ask-rarely",
    guards: "a silent queue is made anew ever more rarely",
    without: "a host costs the transcriber its connection again and again",
    file: "src/brokers/rabbitmq/asks.ts",
    edits: [["if (isActive() && isDue())", "if (isActive())"]],
    tests: brokerTests,
  },
  {
    id: "ask-the-active",
    guards: "the active transcriber alone makes a silent queue anew",
    without: "two transcribers delete what the other has just made",
    file: "src/brokers/rabbitmq/asks.ts",
    edits: [["if (isActive() && isDue())", "if (isDue())"]],
    tests: brokerTests,
  },
  {
    id: "orders-of-transcribers",
    guards: "a host obeys orders of a transcriber's user alone",
    without: "who may send messages of a plain service holds it and drops its messages",
    file: "src/host/receive.ts",
    edits: [["wrongOrderer?.(delivery.user);", "undefined as string | undefined;"]],
    tests: ["src/host/plain.test.ts"],
  },
  {
    id: "orders-in-a-project",
    guards: "a host that has its own user knows who may give orders",
    without: "hosts of a real project obey whoever may send",
    file: "src/daemon/up.ts",
    edits: [["waveWithin: waits, wrongOrderer, name: host", "waveWithin: waits, name: host"]],
    tests: ["test/integration/permissions.test.ts"],
  },
  {
    id: "orders-to-transcribers",
    guards: "a transcriber reads the directory again for a transcriber's user alone",
    without: "a binding keeps the transcriber reading for ever",
    file: "src/transcriber/hearing.ts",
    edits: [["      if (wrong) throw new Error(wrong);\n      verify(asked);", "      verify(asked);"]],
    tests: ["src/transcriber/hearing.test.ts"],
  },
  {
    id: "orders-among-events",
    guards: "the user of an order among events is known",
    without: "a binding keeps the transcriber reading for ever",
    file: "src/transcriber/event-intake.ts",
    edits: [["verify(message, batch[at]?.user)", "verify(message, undefined)"]],
    tests: ["src/transcriber/event-intake.test.ts"],
  },
];
