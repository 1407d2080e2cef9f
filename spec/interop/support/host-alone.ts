/**
 * A host of its own inside this machine: a network namespace with one cable to here. For programs that take no loopback address for a
 * network, and so would not meet anybody on 127.0.0.1.
 */
import { spawnSync } from 'node:child_process';
import { Program } from './program.js';

/** The addresses of RFC 2544 (benchmarks of networks) are in nobody's network; a part for this process. */
const part = `198.18.${process.pid % 256}`;

let hosts = 0;

export class HostAlone {
  private constructor(
    private readonly name: string,
    private readonly cable: string,
    /** This machine, as seen from there. */
    readonly outside: string,
    /** Its own address. */
    readonly address: string,
  ) {}

  /** @returns why this machine lets nobody make one, or undefined when it does */
  static refusal(): string | undefined {
    const name = `sip-try-${process.pid}`;
    const made = ip('netns', 'add', name);
    if (made !== undefined) return made;
    const joined = ip('link', 'add', `sip${process.pid}t`, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name);
    ip('link', 'delete', `sip${process.pid}t`);
    ip('netns', 'delete', name);
    return joined;
  }

  static add(): HostAlone {
    hosts += 1;
    const host = new HostAlone(`sip-${process.pid}-${hosts}`, `sip${process.pid}n${hosts}`, `${part}.${hosts * 4 + 1}`, `${part}.${hosts * 4 + 2}`);
    const { name, cable, outside, address } = host;
    must('netns', 'add', name);
    must('link', 'add', cable, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name);
    must('address', 'add', `${outside}/30`, 'dev', cable);
    must('link', 'set', cable, 'up');
    must('-n', name, 'address', 'add', `${address}/30`, 'dev', 'eth0');
    must('-n', name, 'link', 'set', 'eth0', 'up');
    must('-n', name, 'link', 'set', 'lo', 'up');
    must('-n', name, 'route', 'add', 'default', 'via', outside);
    return host;
  }

  /** Runs a program there. */
  run(command: string, args: readonly string[]): Program {
    return new Program('ip', ['netns', 'exec', this.name, command, ...args]);
  }

  /** Programs there must have ended. */
  remove(): void {
    must('link', 'delete', this.cable);
    must('netns', 'delete', this.name);
  }
}

function must(...args: string[]): void {
  const refusal = ip(...args);
  if (refusal !== undefined) throw new Error(refusal);
}

/** @returns what went wrong */
function ip(...args: string[]): string | undefined {
  const run = spawnSync('ip', args, { encoding: 'utf8' });
  if (run.status === 0) return undefined;
  return `ip ${args.join(' ')}: ${run.error?.message ?? run.stderr.trim()}`;
}
