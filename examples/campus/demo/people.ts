/** The people and machines that the day names, made by hand. All others are random (make.ts). */

export interface Member {
  readonly uid: string;
  readonly givenName: string;
  readonly sn: string;
  readonly machines: readonly string[];
  /** The machines stand in ou=machines and name their owner, rather than below him. */
  readonly apart?: boolean;
  /** Has neither mail nor a home here. */
  readonly noAccount?: boolean;
  /** The subscription ended last year. */
  readonly expired?: boolean;
}

export const cast: readonly Member[] = [
  { uid: "jgarcia", givenName: "José", sn: "García", machines: ["quetzal"] },
  { uid: "zvermeulen", givenName: "Zoë", sn: "Vermeulen", machines: ["castor", "pollux"] },
  { uid: "mdubois", givenName: "Maxime", sn: "Dubois", machines: ["cobalt", "nickel", "chrome", "zinc", "radium"] },
  { uid: "slefevre", givenName: "Solène", sn: "Lefèvre", machines: ["tramontane", "mistral", "sirocco"] },
  { uid: "atrousseau", givenName: "Anaïs", sn: "Trousseau", machines: ["atlas"], apart: true, expired: true },
  { uid: "pbernard", givenName: "Paul", sn: "Bernard", machines: ["figaro"] },
  { uid: "lnguyen", givenName: "Linh", sn: "Nguyễn", machines: ["sphinx"] },
];

export const givenNames = [
  ...["Adèle", "Aïcha", "Alice", "Amine", "André", "Baptiste", "Camille", "Chloé", "Clément", "Élise", "Emma", "Farah"],
  ...["Félix", "François", "Gaël", "Hélène", "Hugo", "Inès", "Jean-Loup", "Joël", "Kévin", "Léa", "Louis", "Łukasz"],
  ...["Maëlle", "Manon", "Mateus", "Naïm", "Noémie", "Océane", "Olivier", "Ömer", "Pauline", "Quentin", "Raphaël"],
  ...["Rémi", "Sarah", "Søren", "Théo", "Thanh", "Valentin", "Victoire", "Xavier", "Yasmine", "Yún", "Zoé"],
];

export const surnames = [
  ...["André", "Benali", "Bonnet", "Chevalier", "Da Silva", "Delaunay", "Dupont", "Dupré", "Faure", "Fernández"],
  ...["Fontaine", "Gérard", "Girard", "Guérin", "Hervé", "Jørgensen", "Kowalski", "Lambert", "Lê", "Le Goff"],
  ...["Lemaître", "Leroy", "Marchand", "Martin", "Mercier", "Moreau", "Müller", "N'Diaye", "O'Brien", "Pérez"],
  ...["Perrin", "Petit", "Renard", "Richard", "Robin", "Rousseau", "Roux", "Saint-Exupéry", "Schmitt", "Simon"],
  ...["Thibault", "Traoré", "Vasseur", "Vidal", "Weiß", "Yılmaz", "Zhāng", "Żuk"],
];

export const machineNames = [
  ...["abricot", "acacia", "agate", "albatros", "aleph", "ariane", "aurore", "basalte", "belette", "bolide", "boreal"],
  ...[
    "cactus",
    "calypso",
    "caramel",
    "cerise",
    "colibri",
    "comete",
    "corsaire",
    "dahlia",
    "dynamo",
    "eclipse",
    "ecume",
  ],
  ...["etoile", "fennec", "fougere", "galion", "gecko", "geyser", "ginkgo", "granit", "grisou", "hermes", "hibou"],
  ...["indigo", "iris", "jade", "jonquille", "kiwi", "komodo", "lagon", "lotus", "lynx", "magma", "mandarine"],
  ...["meteore", "mimosa", "nautile", "nebuleuse", "nenuphar", "onyx", "orage", "orque", "panda", "pastel", "pivoine"],
  ...["quartz", "quinoa", "rafale", "saphir", "saturne", "sequoia", "spirale", "tango", "topaze", "toucan", "tulipe"],
  ...["typhon", "vanille", "vortex", "wombat", "xenon", "yucca", "zephyr", "zinnia"],
];

/** Names, the local parts of their members' addresses, and how many of them there are. */
export const lists = [
  "bureau",
  "tresorerie",
  "respbats",
  "nounous",
  "apprentis",
  "webmaster",
  "cableurs",
  "moderateurs",
];
