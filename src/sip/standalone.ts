/**
 * A copy of a text that was cut from a message, to keep: V8 holds the whole message for as long as a part of it lives. For text that
 * came from the wire; a lone surrogate would not come through.
 */
export function standalone(text: string): string {
  return Buffer.from(text).toString();
}
