/**
 * Debian's Chromium with a camera and a microphone that it makes up itself, driven by playwright. Each person is a context of its own, as
 * if they sat at two computers; what a page says of errors is kept, and a spec that leaves any fails.
 */
/// <reference lib="dom" />
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const pictures = `${root}pictures/`;

/** What was received of a kind of media since its connection began. */
export interface Received {
  audioBytes: number;
  /** 0 for silence; the made-up microphone beeps. */
  audioEnergy: number;
  videoFrames: number;
}

export class TestBrowser {
  /** Errors that a page threw or wrote to its console. */
  readonly errors: string[] = [];

  private constructor(private readonly browser: Browser) {}

  static async start(): Promise<TestBrowser> {
    const args = ['--no-sandbox', '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream', '--allow-loopback-in-peer-connection'];
    return new TestBrowser(await chromium.launch({ executablePath: '/usr/bin/chromium', args }));
  }

  /** A page of a person of their own. */
  async open(url: string, options: BrowserContextOptions = {}): Promise<Page> {
    const context = await this.browser.newContext({ permissions: ['camera', 'microphone'], ...options });
    const page = await context.newPage();
    page.on('pageerror', (error) => this.errors.push(error.stack ?? error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') this.errors.push(`${message.text()} ${message.location().url}`.trim());
    });
    await page.addInitScript(keepPeers);
    await page.goto(url);
    return page;
  }

  /** Keeps a picture of the page for people to look at. */
  async picture(page: Page, name: string): Promise<void> {
    mkdirSync(pictures, { recursive: true });
    await page.screenshot({ path: `${pictures}${name}.png`, fullPage: true });
  }

  stop(): Promise<void> {
    return this.browser.close();
  }
}

/** Runs in the page before its own scripts: keeps every connection where `received` finds it. */
function keepPeers(): void {
  const kept: RTCPeerConnection[] = [];
  const Original = window.RTCPeerConnection;
  Object.assign(window, {
    peers: kept,
    RTCPeerConnection: class extends Original {
      constructor(...args: ConstructorParameters<typeof RTCPeerConnection>) {
        super(...args);
        kept.push(this);
      }
    },
  });
}

/** What the newest connection of a page has received. */
export function received(page: Page): Promise<Received> {
  return page.evaluate(async () => {
    const { peers } = window as unknown as { peers: RTCPeerConnection[] };
    const sums = { audioBytes: 0, audioEnergy: 0, videoFrames: 0 };
    for (const [, report] of (await peers.at(-1)?.getStats()) ?? []) {
      const stats = report as { type: string; kind?: string; bytesReceived?: number; totalAudioEnergy?: number; framesDecoded?: number };
      if (stats.type !== 'inbound-rtp') continue;
      if (stats.kind === 'audio') {
        sums.audioBytes += stats.bytesReceived ?? 0;
        sums.audioEnergy += stats.totalAudioEnergy ?? 0;
      } else sums.videoFrames += stats.framesDecoded ?? 0;
    }
    return sums;
  });
}

/** Resolves when more was received than `before`, of all that `kinds` names. */
export async function untilMore(page: Page, before: Received, kinds: readonly (keyof Received)[]): Promise<Received> {
  const deadline = Date.now() + 15_000;
  for (;;) {
    const now = await received(page);
    if (kinds.every((kind) => now[kind] > before[kind])) return now;
    if (Date.now() > deadline) throw new Error(`nothing more of ${kinds.join(', ')} within 15 s: ${JSON.stringify({ before, now })}`);
    await page.waitForTimeout(100);
  }
}

export const nothing: Received = { audioBytes: 0, audioEnergy: 0, videoFrames: 0 };
