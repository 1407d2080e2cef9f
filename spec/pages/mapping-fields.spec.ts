import { expect, it } from 'vitest';
import { changeOf, fieldsOf, isWebSocket, limitsOf, newFields, newMappingOf } from '../../src/pages/console/mapping-fields.js';
import type { ShownMapping } from '../../src/pages/console/told.js';

const mapping: ShownMapping = {
  id: 7,
  sipUser: '434',
  sipHost: 'pbx.example.com',
  sipPort: 5060,
  transport: 'udp',
  peerType: 1,
  peerId: 434,
  register: true,
  canCall: true,
  canBeCalled: false,
  displayName: 'Ann',
  hasPassword: true,
};

it('sends what was changed and nothing else, numbers as numbers', () => {
  const before = fieldsOf(mapping);
  expect(changeOf(before, before)).toEqual({});
  expect(changeOf(before, { ...before, sipPort: '0', canBeCalled: true })).toEqual({ sipPort: 0, canBeCalled: true });
});

it('clears what was emptied, and leaves a password that nobody typed', () => {
  const before = fieldsOf(mapping);
  expect(before.sipPassword).toBe('');
  expect(changeOf(before, { ...before, displayName: '' })).toEqual({ displayName: '' });
  expect(changeOf(before, { ...before, sipPassword: 'new' })).toEqual({ sipPassword: 'new' });
});

it('sends of a new one all but what was left empty', () => {
  expect(newMappingOf({ ...newFields, sipUser: '435', sipHost: 'pbx.example.com', peerId: '435' })).toEqual({
    sipUser: '435',
    sipHost: 'pbx.example.com',
    sipPort: 5060,
    transport: 'udp',
    peerType: 1,
    peerId: 435,
    register: true,
    canCall: true,
    canBeCalled: true,
  });
});

it('sends no handshake with a transport that has none', () => {
  const typed = { ...newFields, location: '/ws' };
  expect(newMappingOf(typed)).not.toHaveProperty('location');
  expect(newMappingOf({ ...typed, transport: 'wss' })).toMatchObject({ location: '/ws' });
});

it('asks for a handshake where the transport has one', () => {
  expect(['udp', 'tcp', 'tls', 'ws', 'wss'].filter(isWebSocket)).toEqual(['ws', 'wss']);
});

it('says what a row keeps its account from, and nothing of one that may all', () => {
  expect(limitsOf(mapping)).toEqual(['may not be called']);
  expect(limitsOf({ register: true, canCall: true, canBeCalled: true, hasPassword: true })).toEqual([]);
  expect(limitsOf({ register: false, canCall: false, canBeCalled: false, hasPassword: false })).toEqual(['not registered', 'may not call', 'may not be called', 'no password']);
});
