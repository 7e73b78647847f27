/** The error of a reading that contradicts the stream of changes: the directory is read whole again, at once. */
export class ReadAgain extends Error {
  override name = "ReadAgain";
}
