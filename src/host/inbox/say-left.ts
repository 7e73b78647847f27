/** The part of a table that is still to come, from 0 to 1, as text. */
export const sayLeft = (left: number): string =>
  `${(left * 100).toFixed(left < 0.1 ? 1 : 0)} % of it differs and is still to come`;
