/** Asks the administration interface with the operator's token. Whatever goes wrong is told as a sentence. */
import { Refused } from './refused.js';

/** How long an answer may take, milliseconds; what sends a file has as long as it takes. */
const patienceMs = 20_000;

/** What may be asked beside the path. */
export interface Asked {
  readonly method?: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Sent as JSON, but for a Blob, which goes as it is. */
  readonly body?: unknown;
  readonly type?: string;
  readonly signal?: AbortSignal;
}

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
    const limits = [...(signal === undefined ? [] : [signal]), ...(body instanceof Blob ? [] : [AbortSignal.timeout(patienceMs)])];
    const response = await fetch(new URL(path, document.baseURI), { method, headers, body: sent, signal: AbortSignal.any(limits) }).catch((thrown: unknown) => {
      if (thrown instanceof DOMException && thrown.name === 'AbortError') throw thrown;
      throw new Refused('OFFLINE', 'The extension is not reachable right now.');
    });
    if (response.ok) return response;
    const { code, detail, fields } = await problemOf(response);
    if (code === 'TOKEN_REFUSED') this.onTokenRefused();
    throw new Refused(code, detail, fields);
  }
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
