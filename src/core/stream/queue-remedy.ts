/** The commands that show why a queue refuses messages, and that end it. */
export const queueRemedy = (queue: string): string =>
  `\`rabbitmqctl list_queues name policy arguments messages\` shows why; end that policy, or \`rabbitmqctl delete_queue ${queue}\``;
