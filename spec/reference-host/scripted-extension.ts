import type { CallCommand, CallUpdate, ExtensionHost, ExtensionStatus, HostExtension, HostUser } from '../../src/host/contract.js';
import {
  answerTo,
  fresh,
  headerLines,
  register,
  requestText,
  responseText,
  statusOf,
  udpClient,
  type RawClient,
  type RequestParts,
} from './playground/raw-client.js';

interface Tree {
  modules: { sip: { autocreate: { port: number; password: { value: string } } } };
}

interface Leg {
  client: RawClient;
  parts: RequestParts;
  /** The INVITE as it came, for a leg that was called. */
  invite?: string;
  contact?: string;
  route: string[];
}

/**
 * An extension that follows one script: it registers users and carries one plain call each way over UDP. The demonstration's own
 * specs use it, so that they need neither a database nor the SIP stack.
 */
export class ScriptedExtension implements HostExtension {
  readonly #users = new Map<number, RawClient>();
  readonly #legs = new Map<string, Leg>();
  #host: ExtensionHost | undefined;
  #tree: Tree = { modules: { sip: { autocreate: { port: 0, password: { value: '' } } } } };

  init(host: ExtensionHost): Promise<void> {
    this.#host = host;
    if ('tree' in host.config) this.#tree = host.config.tree as unknown as Tree;
    return Promise.resolve();
  }

  async onUserCreated(user: HostUser): Promise<void> {
    const client = await udpClient(this.#port);
    const reply = await register(client, { ...this.#account(user.id), contacts: [`<sip:u${user.id}@127.0.0.1:${client.port}>`] });
    if (statusOf(reply) !== 200) throw new Error(`REGISTER got ${statusOf(reply)}`);
    this.#users.set(user.id, client);
    void this.#listen(user.id, client);
  }

  onUserUpdated(): Promise<void> {
    return Promise.resolve();
  }

  onUserDeleted(): Promise<void> {
    return Promise.resolve();
  }

  onCall(command: CallCommand): Promise<void> {
    if (command.type === 'create') this.#call(command);
    const leg = this.#legs.get(command.callId);
    if (leg?.invite !== undefined && command.type === 'ringing') leg.client.send(responseText(leg.invite, '180 Ringing'));
    if (leg?.invite !== undefined && command.type === 'answer') {
      leg.client.send(responseText(leg.invite, '200 OK', [`Contact: <sip:u2@127.0.0.1:${leg.client.port}>`]));
    }
    if (leg !== undefined && command.type === 'hangup') leg.client.send(requestText(leg.client, this.#within(leg, 'BYE', 3)));
    return Promise.resolve();
  }

  status(): ExtensionStatus {
    const byState = { waiting: 0, registering: 0, registered: this.#users.size, retrying: 0, parked: 0, unregistering: 0 };
    return {
      ready: true,
      nodeId: 'scripted',
      uptimeMs: 0,
      registrations: { total: this.#users.size, byState, troubled: [] },
      calls: { live: this.#legs.size },
      listening: ['udp:127.0.0.1:5060'],
      rejectedRows: [],
    };
  }

  async stop(): Promise<void> {
    for (const [id, client] of this.#users) {
      client.close();
      const last = await udpClient(this.#port);
      await register(last, { ...this.#account(id), contacts: ['*'], expires: 0 });
      last.close();
    }
  }

  get #port(): number {
    return this.#tree.modules.sip.autocreate.port;
  }

  #account(id: number): { user: string; password: string } {
    return { user: `dialog${id}`, password: this.#tree.modules.sip.autocreate.password.value };
  }

  #say(update: CallUpdate): void {
    void this.#host?.calls.update(update);
  }

  #call(command: Extract<CallCommand, { type: 'create' }>): void {
    const client = this.#users.get(command.from.id);
    if (client === undefined || !('address' in command.to)) throw new Error('not in the script');
    const from = `<sip:dialog${command.from.id}@127.0.0.1>;tag=${fresh()}`;
    const body = command.description.sdp;
    const parts = { method: 'INVITE', uri: command.to.address, from, to: `<${command.to.address}>`, callId: command.callId, cseq: 1, branch: fresh(), body };
    this.#legs.set(command.callId, { client, parts, route: [] });
    client.send(requestText(client, parts));
  }

  #within(leg: Leg, method: string, cseq: number): RequestParts {
    const { from, to, callId } = leg.parts;
    const more = leg.route.map((value) => `Route: ${value}`);
    return { method, uri: leg.contact ?? leg.parts.uri, from, to, callId, cseq, branch: fresh(), more };
  }

  async #listen(id: number, client: RawClient): Promise<void> {
    for (;;) {
      const text = await client.next();
      if (text.startsWith('SIP/2.0')) this.#response(client, text);
      else this.#request(id, client, text);
    }
  }

  #response(client: RawClient, text: string): void {
    const callId = headerLines(text, 'Call-ID')[0] ?? '';
    const leg = this.#legs.get(callId);
    const sequence = headerLines(text, 'CSeq')[0] ?? '';
    if (leg === undefined) return;
    if (statusOf(text) === 407) {
      const { parts } = leg;
      client.send(requestText(client, { ...parts, method: 'ACK', to: headerLines(text, 'To')[0] ?? '', body: '' }));
      const user = /sip:([^@]+)@/.exec(parts.from)?.[1] ?? '';
      const { value: password } = this.#tree.modules.sip.autocreate.password;
      const more = [answerTo(text, { user, password, method: 'INVITE', uri: parts.uri })];
      client.send(requestText(client, { ...parts, cseq: 2, branch: fresh(), more }));
    } else if (statusOf(text) === 180) this.#say({ type: 'state', callId, state: 'ringing' });
    else if (statusOf(text) === 200 && sequence.endsWith('INVITE')) {
      leg.parts.to = headerLines(text, 'To')[0] ?? '';
      leg.contact = /<([^>]+)>/.exec(headerLines(text, 'Contact')[0] ?? '')?.[1];
      leg.route = headerLines(text, 'Record-Route').reverse();
      if (leg.route.length === 0) {
        this.#fail(callId, 'The script knows no way to the far end but the registrar.');
        return;
      }
      client.send(requestText(client, this.#within(leg, 'ACK', 2)));
      this.#say({ type: 'state', callId, state: 'talking' });
    } else if (statusOf(text) === 200) this.#end(callId);
    else if (statusOf(text) >= 300) this.#fail(callId, `The call failed with ${statusOf(text)}.`);
  }

  #request(id: number, client: RawClient, text: string): void {
    const callId = `in-${headerLines(text, 'Call-ID')[0] ?? ''}`;
    if (text.startsWith('INVITE')) {
      const from = headerLines(text, 'From')[0] ?? '';
      const sdp = text.slice(text.indexOf('\r\n\r\n') + 4);
      this.#legs.set(callId, { client, invite: text, parts: { method: '', uri: '', from, to: '' }, route: [] });
      const to = { type: 1, id } as const;
      this.#say({ type: 'incoming', callId, to, from: { uri: from }, description: { type: 'offer', sdp }, video: false, mappingId: id });
    } else if (text.startsWith('ACK')) this.#say({ type: 'state', callId, state: 'talking' });
    else if (text.startsWith('BYE')) {
      client.send(responseText(text, '200 OK'));
      this.#end(callId);
    }
  }

  #fail(callId: string, message: string): void {
    this.#legs.delete(callId);
    this.#say({ type: 'ended', callId, reason: 'error', message });
  }

  #end(callId: string): void {
    this.#legs.delete(callId);
    this.#say({ type: 'ended', callId, reason: 'normal', message: 'The call is over.' });
  }
}
