import type { Break } from "./breaks.ts";

/** An epoch that said that the directory was rolled back, and the key under which it said so. */
export interface RolledBack {
  readonly key: string;
  readonly epoch: number;
}

/**
 * The messages that pass the broker, changed if a safeguard of the stream is removed, and the epochs that reported a
 * rollback.
 */
export interface Overheard {
  readonly rolledBack: readonly RolledBack[];
  /** Called with each message to the broker. Returns the message to use in its place, or undefined to drop it. */
  see(key: string, body: string): string | undefined;
}

export function overhear(without: Break | undefined): Overheard {
  const rolledBack: RolledBack[] = [];
  const epochs = new Map<string, number>();
  return {
    rolledBack,
    see(key, body) {
      // Bodies are long, and most are irrelevant here.
      if (without === undefined && !body.includes('"rolledBack":true')) return body;
      const message = JSON.parse(body);
      if (without === "spoken-refusal" && (message.kind === "refusal" || message.kind === "report")) return undefined;
      if (message.rolledBack) rolledBack.push({ key, epoch: message.epoch });
      if (without !== "unique-epoch" || !key.startsWith("trigger.")) return body;
      if (!["rows", "digest", "part"].includes(message.kind)) return body;
      // Epochs as if each process counted its own from 1.
      const counted = epochs.get(`${message.epoch}`) ?? 1 + (epochs.size % 2);
      epochs.set(`${message.epoch}`, counted);
      return JSON.stringify({ ...message, epoch: counted });
    },
  };
}
