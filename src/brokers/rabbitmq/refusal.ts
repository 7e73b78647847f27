import type { Target } from "./credentials.ts";

type About = Pick<Target, "username" | "vhost" | "hostname" | "port">;

/** The reason why a connection did not open, in one line, with the remedy. */
export function refusalOf(why: string, target: About): string {
  const line = why.replaceAll(/\s+/g, " ").trim();
  const known = refusals.find(([pattern]) => pattern.test(line));
  return known ? known[1](target, line) : line;
}

/** The pattern of each refusal, and its explanation. */
const refusals: readonly (readonly [RegExp, (target: About, line: string) => string])[] = [
  [/ACCESS.REFUSED.*[Ll]ogin/, ({ username }) => `user ${username} was refused: wrong password or unknown user`],
  [
    /NOT_ALLOWED.*vhost/,
    ({ vhost, username }) => `vhost ${vhost} does not exist, or user ${username} may not enter it`,
  ],
  [/^connect ETIMEDOUT$/, ({ hostname, port }) => `${hostname}:${port} did not answer in time`],
  [/ECONNREFUSED/, (_, line) => `${line}: is RabbitMQ running, and listening there?`],
  [/ENOTFOUND|EAI_AGAIN/, (_, line) => `${line}: look at the host's name in broker.url`],
  [/wrong version number/, ({ port }) => `TLS failed: ${port} is not a port of AMQPS`],
  [
    /SSL alert number/,
    (_, line) => `${alertOf(line)}: broker.cert is missing, or of an authority that it does not know`,
  ],
  [
    /^certificate has expired/,
    (_, line) =>
      `${line}: give the server a renewed certificate; if its date is not past, look at this machine's clock`,
  ],
  [
    /^certificate is not yet valid/,
    (_, line) =>
      `${line}: look at this machine's clock; if it is right, at the day on which the server's certificate begins`,
  ],
  [
    /certificate's altnames/,
    (_, line) =>
      `${line}: name the host in broker.url as the certificate does, or give the server one with that subjectAltName`,
  ],
  [/certificate/i, (_, line) => `${line}: name the authority that signed the server's certificate in broker.ca`],
];

/** The TLS alert in an error of OpenSSL, without the numbers and source positions around it. */
const alertOf = (line: string): string => `the server refused: ${/alert ([^:]+):/.exec(line)?.[1] ?? "a TLS alert"}`;
