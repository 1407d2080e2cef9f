/** Asks the administration interface with the operator's token. Whatever goes wrong is told as a sentence. */

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

/** What may be asked beside the path. */
export interface Asked {
  readonly method?: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Sent as JSON, but for a Blob, which goes as it is. */
  readonly body?: unknown;
  readonly type?: string;
  readonly signal?: AbortSignal;
}

export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

export class AdminSession {
  constructor(
    readonly token: string,
    private readonly onTokenRefused: () => void,
  ) {}

  /** @param Answer what the interface documents for that path @throws Refused */
  async json<Answer>(path: string, asked: Asked = {}): Promise<Answer> {
    const response = await this.#ask(path, asked);
    return (response.status === 204 ? undefined : await response.json()) as Answer;
  }

  /** @throws Refused */
  async text(path: string, asked: Asked = {}): Promise<string> {
    return (await this.#ask(path, asked)).text();
  }

  /** Has the browser keep a file. @throws Refused */
  async download(path: string, name: string): Promise<void> {
    const url = URL.createObjectURL(await (await this.#ask(path, {})).blob());
    const link = document.createElement('a');
    link.href = url;
    link.download = name;
    link.click();
    URL.revokeObjectURL(url);
  }

  async #ask(path: string, { method = 'GET', body, type = 'application/json', signal }: Asked): Promise<Response> {
    const headers = new Headers({ authorization: `Bearer ${this.token}` });
    if (body !== undefined) headers.set('content-type', type);
    const sent = body === undefined ? null : body instanceof Blob ? body : JSON.stringify(body);
    const response = await fetch(new URL(path, document.baseURI), { method, headers, body: sent, signal: signal ?? null }).catch((thrown: unknown) => {
      if (thrown instanceof DOMException && thrown.name === 'AbortError') throw thrown;
      throw new Refused('OFFLINE', 'The extension is not reachable right now.');
    });
    if (response.ok) return response;
    const { code, detail, fields } = await problemOf(response);
    if (code === 'TOKEN_REFUSED') this.onTokenRefused();
    throw new Refused(code, detail, fields);
  }
}

/** `api/registrations?state=parked`; what is undefined or empty is left out. */
export function pathOf(path: string, query: Query = {}): string {
  const words = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined && value !== '') words.set(name, String(value));
  const asked = words.toString();
  return asked === '' ? path : `${path}?${asked}`;
}

export function sentenceOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

interface Problem {
  readonly code: string;
  readonly detail: string;
  readonly fields?: readonly string[];
}

async function problemOf(response: Response): Promise<Problem> {
  const told = (await response.json().catch(() => ({}))) as Partial<Problem>;
  return { code: 'UNKNOWN', detail: `The extension answered ${response.status} ${response.statusText}.`, ...told };
}
