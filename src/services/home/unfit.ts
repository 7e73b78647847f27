/** Thrown if a home cannot be at its place, for a reason in the row or on the disk. Another try does not change it. */
export class Unfit extends Error {
  override name = "Unfit";
}
