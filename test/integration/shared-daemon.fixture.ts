import type { TestProject } from "../project.ts";

/**
 * The service of a daemon that is a file of `name ip` lines, some of them foreign. While the file \`out/<host>/away\`
 * exists, the daemon does not answer. While \`stuck\` exists, a look never ends; \`asked\` shows that it has begun.
 */
export const shared = `
import { fileURLToPath } from "node:url";
import { Away, converge, Hostname, Ip, service, z } from "trigger";
const placeOn = (host) => fileURLToPath(new URL(\`../out/\${host.name}/\`, import.meta.url));
const look = async (host) => {
  if (await host.files.stat(\`\${placeOn(host)}away\`)) throw new Away("the daemon is away");
  if (await host.files.stat(\`\${placeOn(host)}stuck\`)) {
    await host.ask(["sh", "-c", \`touch "$1"; exec sleep 100\`, "sh", \`\${placeOn(host)}asked\`]);
  }
  const text = new TextDecoder().decode(await host.files.read(\`\${placeOn(host)}daemon\`));
  return new Map(text.split("\\n").filter(Boolean).map((line) => line.split(" ")));
};
export default service({
  row: z.object({ name: Hostname, ip: Ip }),
  unique: ["name", "ip"],
  shared: true,
  pace: 50,
  select: (host) => (host.is("ipHost") ? { name: host.name, ip: host.one("ipHostNumber") } : undefined),
  async run(table, host) {
    const { result } = await converge(table, host, {
      of: ({ name, ip }) => [[name, ip]],
      look: () => look(host),
      async write(moves) {
        const has = await look(host);
        for (const { name, after } of moves) {
          if (after === undefined) has.delete(name);
          else has.set(name, after);
        }
        await host.files.makeDirectory(placeOn(host));
        await host.files.write(\`\${placeOn(host)}daemon\`, [...has].map((line) => \`\${line.join(" ")}\\n\`).join(""));
      },
    });
    return result;
  },
  observe: async (host) => [...(await look(host))].map(([name, ip]) => ({ name, ip })),
});
`;

/** The lines of the daemon. */
export const daemon = (project: TestProject): string[] =>
  (project.read("out/box/daemon") ?? "").split("\n").filter(Boolean).sort();
