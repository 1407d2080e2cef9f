/** hocon-parser 1.0.1 ships no types. It takes text and gives objects, arrays and strings; it throws strings. */
declare module 'hocon-parser' {
  export default function parseHocon(text: string): unknown;
}
