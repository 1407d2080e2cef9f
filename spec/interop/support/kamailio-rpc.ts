/** Any Kamailio of ours over its own RPC, which it takes by HTTP at `/rpc` of its TCP port. */
import type { Program } from './program.js';

/** One JSON-RPC call. Rejects with Kamailio's own error. */
export async function askKamailio(tcpPort: number, method: string, params: readonly (string | number)[] = []): Promise<unknown> {
  const response = await fetch(`http://127.0.0.1:${tcpPort}/rpc`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', connection: 'close' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  });
  const answer = (await response.json()) as { result?: unknown; error?: { message: string } };
  if (answer.error !== undefined) throw new Error(`Kamailio refused ${method}: ${answer.error.message}`);
  return answer.result;
}

/** Resolves when it answers. Rejects with its log when it ends, or is silent for so long. */
export async function kamailioAnswers(program: Program, tcpPort: number, withinMs = 15_000): Promise<void> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    if (!program.running) throw new Error(`Kamailio ended: ${program.describe()}`);
    try {
      await askKamailio(tcpPort, 'core.uptime');
      return;
    } catch (thrown) {
      if (Date.now() > deadline) {
        await program.kill();
        throw new Error(`Kamailio does not answer: ${program.describe()}`, { cause: thrown });
      }
      // Another process, which has no other way to tell.
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

/** Debian keeps the program where only root's PATH leads. */
export function withSbin(): NodeJS.ProcessEnv {
  return { ...process.env, PATH: `${process.env.PATH ?? ''}:/usr/sbin` };
}
