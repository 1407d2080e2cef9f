/** What went wrong with asking, for a person. */

/** What the server, or the way to it, refused: `message` is for a person. */
export class Refused extends Error {
  /**
   * @param code the stable code of the problem; OFFLINE when nothing answered
   * @param fields those of a form that are at fault
   */
  constructor(
    readonly code: string,
    message: string,
    readonly fields: readonly string[] = [],
  ) {
    super(message);
  }
}

export function sentenceOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
