import type { Break } from "./breaks.ts";

/** An epoch that said that the directory was rolled back, and the key under which it said so. */
export interface RolledBack {
  readonly key: string;
  readonly epoch: number;
}

/** What passes the broker, as it is without one of the safeguards of what is said; and the epochs that said that the directory was rolled back. */
export interface Overheard {
  readonly rolledBack: readonly RolledBack[];
  /** Sees a message that the broker is given; gives what it has of it, undefined where nothing. */
  see(key: string, body: string): string | undefined;
}

export function overhear(without: Break | undefined): Overheard {
  const rolledBack: RolledBack[] = [];
  const epochs = new Map<string, number>();
  return {
    rolledBack,
    see(key, body) {
      // Bodies are long, and most say nothing that matters here.
      if (without === undefined && !body.includes('"rolledBack":true')) return body;
      const message = JSON.parse(body);
      if (without === "spoken-refusal" && (message.kind === "refusal" || message.kind === "report")) return undefined;
      if (message.rolledBack) rolledBack.push({ key, epoch: message.epoch });
      if (without !== "unique-epoch" || !key.startsWith("trigger.")) return body;
      if (!["rows", "digest", "part"].includes(message.kind)) return body;
      // As if each process counted its own epochs from 1.
      const counted = epochs.get(`${message.epoch}`) ?? 1 + (epochs.size % 2);
      epochs.set(`${message.epoch}`, counted);
      return JSON.stringify({ ...message, epoch: counted });
    },
  };
}
