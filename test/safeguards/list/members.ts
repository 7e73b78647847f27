import type { Removal } from "../removal.ts";

export const membersRemovals: readonly Removal[] = [
  {
    id: "mail-domains",
    guards: "a person's mail is an alias in the given domains alone",
    without: "a member takes the mail that goes to other domains",
    file: "src/services/mail/aliases.ts",
    edits: [["mails.filter((mail) => read.domains?.includes(domainOf(mail)))", "mails"]],
    tests: ["test/services/postfix-people.test.ts"],
  },
  {
    id: "mail-reserved",
    guards: "a person's mail has no reserved local part",
    without: "a member gets the mail of root and postmaster, and certificates of the domain",
    file: "src/services/mail/aliases.ts",
    edits: [["read.reserved.has(bare) || ", ""]],
    tests: ["test/services/postfix-people.test.ts"],
  },
  {
    id: "mail-extension",
    guards: "an extension makes no other local part of a reserved one",
    without: "a member gets the mail of root+something",
    file: "src/services/mail/aliases.ts",
    edits: [['local.split("+", 1)[0] ?? ""', "local"]],
    tests: ["test/services/postfix-people.test.ts"],
  },
  {
    id: "mail-user",
    guards: "a person's mail is no other account's user name",
    without: "a member gets another one's mail",
    file: "src/services/mail/aliases.ts",
    edits: [["if (other)", "if (other && !entry)"]],
    tests: ["test/services/postfix-people.test.ts"],
  },
  {
    id: "screen-visible",
    guards: "what a command prints shows what a terminal obeys or hides",
    without: "a name of the directory steers root's terminal, or forges a line",
    file: "src/cli/screen.ts",
    edits: [["shownLine(line).replace(marked", "line.replace(marked"]],
    tests: ["src/cli/hostile.test.ts"],
  },
  {
    id: "exact-unknown",
    guards: "values of an attribute that no schema here has are compared exactly",
    without: "two principals that differ in case are one",
    file: "src/core/matching.ts",
    edits: [["if (ignoring.has(name)) return", "if (!telephones.has(name) && !names.has(name)) return"]],
    tests: ["src/core/matching.test.ts", "src/transcriber/mirror.test.ts"],
  },
  {
    id: "as-slapd-compares",
    guards: "no character is dropped where names are compared",
    without: "a name with an invisible character is that of another entry",
    file: "src/core/values.ts",
    edits: [
      [
        "return foldSpaces(byPieces(text, isUnfolded",
        'return foldSpaces(byPieces(text.replace(/\\u00ad/g, ""), isUnfolded',
      ],
    ],
    tests: ["src/core/dn.test.ts", "src/core/values.test.ts"],
  },
];
