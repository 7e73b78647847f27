import { converge, type Host, type Move, service, UserName, z } from "trigger";

/** The names by badge at the doors. `doorctl list` prints a badge and a name per line, foreign ones among them. */
async function look(host: Host): Promise<Map<string, string>> {
  const { stdout } = await host.ask(["doorctl", "list"], { deadline: 5000 });
  const lines = stdout.split("\n").filter((line) => line !== "");
  return new Map(lines.map((line) => line.split(" ") as [badge: string, name: string]));
}

const order = ({ name, after }: Move<string>): string =>
  after === undefined ? `remove ${name}` : `put ${name} ${after}`;

export default service({
  row: z.object({ badge: z.string().regex(/^[0-9A-F]{8}$/), name: UserName }),
  unique: ["badge", "name"],
  shared: true,
  daemon: { unit: "doord" },
  select(member) {
    if (!member.is("campusMember") || !member.has("badgeNumber")) return;
    return { badge: member.one("badgeNumber"), name: member.one("uid") };
  },
  async run(table, host) {
    const { result } = await converge(table, host, {
      of: ({ badge, name }) => [[badge, name]],
      look: () => look(host),
      async write(moves) {
        await host.tell(["doorctl", "apply"], { input: `${moves.map(order).join("\n")}\n` });
        return undefined;
      },
    });
    return { ...result, serving: true };
  },
  observe: async (host) => [...(await look(host))].map(([badge, name]) => ({ badge, name })),
});
