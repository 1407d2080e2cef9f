/** What is asked of the administration interface, as a path beside the page's own. */

export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

/** `api/registrations?state=parked`; what is undefined or empty is left out. */
export function pathOf(path: string, query: Query = {}): string {
  const words = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined && value !== '') words.set(name, String(value));
  const asked = words.toString();
  return asked === '' ? path : `${path}?${asked}`;
}
