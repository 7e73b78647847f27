import { shownLine } from "../core/util/shown.ts";

/** Lines of cells as columns, two spaces apart; the numbered columns to the right. Cells are made visible here, where their width counts. */
export function table(given: readonly (readonly string[])[], { right = [] as readonly number[] } = {}): string[] {
  const lines = given.map((line) => line.map(shownLine));
  const widths: number[] = [];
  for (const line of lines) {
    for (const [column, cell] of line.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length);
  }
  return lines.map((line) =>
    line
      .map((cell, column) => {
        if (column === line.length - 1) return cell;
        const width = widths[column] ?? 0;
        return right.includes(column) ? cell.padStart(width) : cell.padEnd(width);
      })
      .join("  ")
      .trimEnd(),
  );
}
