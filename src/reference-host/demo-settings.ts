/**
 * What the demonstration needs to know of server.conf: where the registrar is to be, what its users' password is, and which ports
 * the extension will take. A busy port gives way to a free one, and the tree is changed to say so.
 */
import { createSocket } from 'node:dgram';
import { createServer, type AddressInfo } from 'node:net';
import { dirname, resolve } from 'node:path';
import { z } from 'zod';

const port = z.coerce.number().int().min(0).max(65_535);

const shape = z.looseObject({
  modules: z.looseObject({
    sip: z.looseObject({
      autocreate: z.looseObject({
        on: z.literal(true),
        host: z.string().regex(/^127(?:\.\d{1,3}){3}$/),
        port: port.default(5060),
        'user-prefix': z.string().default(''),
        password: z.looseObject({ mode: z.literal('fixed'), value: z.string() }),
      }),
      listen: z
        .looseObject({ host: z.string().default('0.0.0.0'), 'udp-port': port.default(5060), 'tcp-port': port.default(5060) })
        .prefault({}),
      admin: z.looseObject({ on: z.boolean().default(false), host: z.string().default('127.0.0.1'), port: port.default(8088) }).prefault({}),
    }),
  }),
  services: z.looseObject({ postgresql: z.looseObject({ embedded: z.string().optional() }) }),
});

/** A sentence per key, for the one who changed it. */
const wanted: Record<string, string> = {
  'modules.sip.autocreate.on': 'must be true: the demonstration makes its accounts by it',
  'modules.sip.autocreate.host': 'must be a loopback address such as 127.0.0.1: the demonstration brings its own registrar',
  'modules.sip.autocreate.password.mode': 'must be fixed: the demonstration’s registrar has to know the password',
};

export interface DemoSettings {
  /** As the extension is to get it. */
  tree: z.infer<typeof shape>;
  registrar: { host: string; port: number; password: string; userPrefix: string };
  /** Where server.conf wants the extension to be administered; the tree says where it is. */
  adminPort: number;
}

/**
 * @param file paths in the tree count from its folder
 * @throws Error with a sentence naming the key that keeps the demonstration from running
 */
export function demoSettings(tree: Record<string, unknown>, file: string): DemoSettings {
  const parsed = shape.safeParse(structuredClone(tree));
  if (!parsed.success) {
    const issues = parsed.error.issues.map((issue) => {
      const key = issue.path.join('.');
      return `${file}: ${key} ${wanted[key] ?? `is not usable: ${issue.message}`}.`;
    });
    throw new Error(issues.join('\n'));
  }
  const { services, modules } = parsed.data;
  const { autocreate } = modules.sip;
  if (services.postgresql.embedded !== undefined) {
    services.postgresql.embedded = resolve(dirname(file), services.postgresql.embedded);
  }
  return {
    tree: parsed.data,
    registrar: {
      host: autocreate.host,
      port: autocreate.port,
      password: autocreate.password.value,
      userPrefix: autocreate['user-prefix'],
    },
    adminPort: modules.sip.admin.port,
  };
}

/**
 * Lets the extension take a free port instead of a busy one; that of its administration is told to people, so it has a number.
 * @returns a sentence per port that was busy
 */
export async function avoidBusyPorts(tree: DemoSettings['tree']): Promise<string[]> {
  const { listen, admin } = tree.modules.sip;
  const notes: string[] = [];
  for (const [key, isFree] of [
    ['udp-port', isUdpFree],
    ['tcp-port', isTcpFree],
  ] as const) {
    if (listen[key] === 0 || (await isFree(listen.host, listen[key]))) continue;
    notes.push(`${key.slice(0, 3).toUpperCase()} port ${listen[key]} is busy: the extension takes a free one.`);
    listen[key] = 0;
  }
  const wanted = admin.port;
  if (admin.on && (wanted === 0 || !(await isTcpFree(admin.host, wanted)))) {
    admin.port = await freeTcpPort(admin.host);
    if (wanted !== 0) notes.push(`TCP port ${wanted} is busy: the administration interface takes ${admin.port}.`);
  }
  return notes;
}

function freeTcpPort(host: string): Promise<number> {
  return new Promise((resolved, rejected) => {
    const server = createServer();
    server.once('error', rejected);
    server.listen(0, host, () => {
      const { port: number } = server.address() as AddressInfo;
      server.close(() => {
        resolved(number);
      });
    });
  });
}

function isUdpFree(host: string, number: number): Promise<boolean> {
  return new Promise((resolved) => {
    const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
    socket.once('error', () => {
      socket.close(() => {
        resolved(false);
      });
    });
    socket.bind(number, host, () => {
      socket.close(() => {
        resolved(true);
      });
    });
  });
}

function isTcpFree(host: string, number: number): Promise<boolean> {
  return new Promise((resolved) => {
    const server = createServer();
    server.once('error', () => {
      resolved(false);
    });
    server.listen(number, host, () => {
      server.close(() => {
        resolved(true);
      });
    });
  });
}
