import { describe, expect, it } from 'vitest';
import { hrefOf, routeOf, type Route } from '../../src/pages/console/route.js';

describe('the address of a view', () => {
  const routes: [string, Route][] = [
    ['#/overview', { view: 'overview' }],
    ['#/registrations', { view: 'registrations', state: '', q: '' }],
    ['#/registrations?state=parked&q=a%26b', { view: 'registrations', state: 'parked', q: 'a&b' }],
    ['#/mappings', { view: 'mappings', q: '' }],
    ['#/mappings?q=50%25', { view: 'mappings', q: '50%' }],
    ['#/find?q=%2B49+30', { view: 'find', q: '+49 30' }],
    ['#/user/434', { view: 'user', id: 434 }],
    ['#/calls/live', { view: 'calls', which: 'live', q: '' }],
    ['#/calls/ended?q=600', { view: 'calls', which: 'ended', q: '600' }],
    ['#/ladder/registration/7', { view: 'ladder', of: { kind: 'registration', id: '7' } }],
    ['#/ladder/call/a%2Fb%3F%23%40host', { view: 'ladder', of: { kind: 'call', id: 'a/b?#@host' } }],
    ['#/configuration', { view: 'configuration' }],
    ['#/log', { view: 'log' }],
  ];

  it.each(routes)('%s is written and read back', (href, route) => {
    expect(hrefOf(route)).toBe(href);
    expect(routeOf(href)).toEqual(route);
  });

  it.each(['', '#', '#/', '#/nowhere', '#/ladder', '#/ladder/call/', '#/ladder/song/7', '#/%'])('%s is the overview', (href) => {
    expect(routeOf(href)).toEqual({ view: 'overview' });
  });

  it('takes a user that is no number for one to be found', () => {
    expect(routeOf('#/user/ann')).toEqual({ view: 'find', q: 'ann' });
    expect(routeOf('#/user/0')).toEqual({ view: 'find', q: '0' });
  });

  it('takes a list of calls that there is not for those that go on, and what is no encoding as it stands', () => {
    expect(routeOf('#/calls/other')).toEqual({ view: 'calls', which: 'live', q: '' });
    expect(routeOf('#/ladder/call/100%')).toEqual({ view: 'ladder', of: { kind: 'call', id: '100%' } });
  });
});
