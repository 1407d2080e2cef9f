/**
 * What the interop specs need from the machine, and how they get it. Run by vitest once before them: as root on
 * Debian it installs what is missing and sees to it that no package starts a daemon; elsewhere it says in one line
 * what is skipped and why. Spec files ask `lacks('kamailio', 'sipp')`.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

export type Requirement = 'kamailio' | 'sipp' | 'postgresql' | 'openssl' | 'chromium' | 'baresip' | 'iproute2' | 'zsh' | 'fish';

const packages: Record<Requirement, readonly string[]> = {
  kamailio: ['kamailio', 'kamailio-websocket-modules', 'kamailio-tls-modules'],
  sipp: ['sip-tester'],
  postgresql: ['postgresql'],
  openssl: ['openssl'],
  chromium: ['chromium', 'fonts-dejavu-core'],
  baresip: ['baresip-core'],
  iproute2: ['iproute2'],
  zsh: ['zsh'],
  fish: ['fish'],
};

const present: Record<Requirement, () => boolean> = {
  kamailio: () =>
    isProgram('kamailio') && ['auth.so', 'tls.so', 'websocket.so'].every((module) => isKamailioModule(module)),
  sipp: () => isProgram('sipp'),
  postgresql: () => isDirectoryWith('/usr/lib/postgresql', (version) => existsSync(join(version, 'bin', 'postgres'))),
  openssl: () => isProgram('openssl'),
  chromium: () => isProgram('chromium'),
  baresip: () => isProgram('baresip'),
  iproute2: () => isProgram('ip'),
  zsh: () => isProgram('zsh'),
  fish: () => isProgram('fish'),
};

/** Whether any of these is not on this machine: `describe.skipIf(lacks('kamailio'))`. */
export function lacks(...requirements: Requirement[]): boolean {
  return requirements.some((requirement) => !present[requirement]());
}

/** vitest's global setup. Throws when apt is there and fails: a machine that should run these specs must not skip them. */
export default function install(): void {
  const missing = (Object.keys(packages) as Requirement[]).filter((requirement) => lacks(requirement));
  if (missing.length === 0) return;
  const wanted = missing.flatMap((requirement) => packages[requirement]);
  if (!isProgram('apt-get') || process.getuid?.() !== 0) {
    const why = isProgram('apt-get') ? 'only root can install it' : 'there is no apt-get here to install it';
    console.warn(`interop: skipping what needs ${missing.join(', ')}: ${why} (Debian: apt-get install ${wanted.join(' ')})`);
    return;
  }
  console.log(`interop: installing ${wanted.join(' ')}`);
  withoutStartingDaemons(() => {
    apt('update', '-qq');
    apt('install', '-y', '-qq', '--no-install-recommends', ...wanted);
  });
  const still = missing.filter((requirement) => lacks(requirement));
  if (still.length > 0) throw new Error(`interop: installed ${wanted.join(' ')}, and yet ${still.join(', ')} is not there`);
}

function apt(...args: string[]): void {
  const run = spawnSync('apt-get', args, {
    encoding: 'utf8',
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  if (run.status === 0) return;
  const output = `${run.stdout}${run.stderr}`.trim().split('\n').slice(-15).join('\n');
  throw new Error(`interop: apt-get ${args.join(' ')} failed\n${output}`);
}

/** Debian asks /usr/sbin/policy-rc.d whether a package may start its service; 101 says no. */
function withoutStartingDaemons(action: () => void): void {
  const policy = '/usr/sbin/policy-rc.d';
  if (existsSync(policy)) {
    action();
    return;
  }
  writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    action();
  } finally {
    rmSync(policy, { force: true });
  }
}

function isProgram(name: string): boolean {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return folders.some((folder) => existsSync(join(folder, name)));
}

function isKamailioModule(name: string): boolean {
  return isDirectoryWith('/usr/lib', (folder) => existsSync(join(folder, 'kamailio', 'modules', name)));
}

function isDirectoryWith(folder: string, test: (child: string) => boolean): boolean {
  return existsSync(folder) && readdirSync(folder).some((child) => test(join(folder, child)));
}
