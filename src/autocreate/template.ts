/** Which mapping a user gets: `modules.sip.autocreate` filled in with who the user is. Pure, but for random passwords. */
import { createHmac, randomBytes } from 'node:crypto';
import { ExtensionError } from '../base/errors.js';
import type { SipConfig } from '../config/schema.js';
import type { HostUser } from '../host/contract.js';
import type { MappingDraft } from '../mappings/mapping.js';

export type AutocreateSettings = SipConfig['autocreate'];

/** As much as the column takes. */
const longestName = 255;

/**
 * User 434 becomes `434` at the configured host, with the prefix `dialog` it becomes `dialog434` (the guide, "Create SIP users automatically").
 * @throws ExtensionError USER_INVALID for an id that is no positive safe integer; CONFIG_INVALID without a host
 */
export function templateOf(settings: AutocreateSettings, user: HostUser): MappingDraft {
  const { host, port, parameters, headers, register, canCall, canBeCalled, userPrefix, password } = settings;
  if (!Number.isSafeInteger(user.id) || user.id <= 0) {
    throw new ExtensionError('USER_INVALID', `The user's id is ${sayId(user.id)}, want a whole number above 0.`);
  }
  if (host === undefined) {
    throw new ExtensionError('CONFIG_INVALID', 'modules.sip.autocreate.host is missing: at which SIP server are users to be registered?');
  }
  const { transport } = parameters;
  const draft: MappingDraft = {
    sipUser: `${userPrefix}${user.id}`,
    sipPassword: passwordOf(password, user.id),
    sipHost: host,
    sipPort: port,
    transport,
    peer: { type: 1, id: user.id },
    register,
    canCall,
    canBeCalled,
  };
  const displayName = displayNameOf(user);
  if (displayName !== '') draft.displayName = displayName;
  if (transport === 'ws' || transport === 'wss') {
    draft.webSocket = { method: parameters.method ?? 'GET', location: headers.location ?? '/' };
    if (headers.host !== undefined) draft.webSocket.host = headers.host;
  }
  return draft;
}

function passwordOf(password: AutocreateSettings['password'], userId: number): string {
  switch (password.mode) {
    case 'none':
      return '';
    case 'fixed':
      return password.value;
    case 'derived':
      return createHmac('sha256', password.secret).update(String(userId)).digest('base64url');
    case 'random':
      return randomBytes(24).toString('base64url');
  }
}

/** The host may hand over anything: no more of it than a number is repeated. */
function sayId(id: unknown): string {
  return typeof id === 'number' ? String(id) : `of type ${typeof id}`;
}

/** People's names hold what no header may: a line break in one is no reason to leave its owner without an account. */
function displayNameOf({ name, nick }: HostUser): string {
  const [first = ''] = [name, nick].map((one) => (one ?? '').replaceAll(/[\p{Cc}\s]+/gu, ' ').trim()).filter((one) => one !== '');
  // The cut must not go through a character of two code units.
  return first.slice(0, longestName).replace(/[\uD800-\uDBFF]$/, '').trimEnd();
}
