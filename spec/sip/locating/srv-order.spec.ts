import { describe, expect, it } from 'vitest';
import { drawOrder, SrvOrder } from '../../../src/sip/locating/srv-order.js';
import { srvRecord } from './fake-names.js';

const names = (records: readonly { name: string }[]): string => records.map(({ name }) => name).join(' ');

describe('the order of SRV records', () => {
  it('is by priority, whatever the weights', () => {
    const records = [srvRecord('c', 1, 30, 9), srvRecord('a', 1, 10, 0), srvRecord('b', 1, 20, 99)];
    expect(names(drawOrder(records, () => 0.99))).toBe('a b c');
  });

  it('is drawn by running sums of the weights, those of 0 first', () => {
    const records = [srvRecord('three', 1, 1, 3), srvRecord('one', 1, 1, 1), srvRecord('none', 1, 1, 0)];
    // Of 0 to 4: 0 takes none, 1 to 3 three, 4 one.
    expect(names(drawOrder(records, () => 0))).toBe('none three one');
    expect(names(drawOrder(records, () => 0.21))).toBe('three none one');
    expect(names(drawOrder(records, () => 0.99))).toBe('one three none');
  });

  it('spreads first choices by weight', () => {
    const records = [srvRecord('three', 1, 1, 30), srvRecord('one', 1, 1, 10)];
    let draw = 0;
    const first = Array.from({ length: 400 }, (_, index) => drawOrder(records, () => (draw = (draw + 0.6180339887) % 1) || index)[0]?.name);
    const share = first.filter((name) => name === 'three').length / first.length;
    expect(share).toBeGreaterThan(0.65);
    expect(share).toBeLessThan(0.85);
  });

  it('stays as it was drawn until the records change', () => {
    let random = 0.99;
    const order = new SrvOrder(() => random);
    const records = [srvRecord('a', 1, 1, 1), srvRecord('b', 1, 1, 1)];
    const drawn = names(order.of('_sip._udp.example.com', records));
    random = 0.4;
    expect(names(order.of('_sip._udp.example.com', [...records].reverse()))).toBe(drawn);
    expect(names(order.of('_sip._udp.example.com', [...records, srvRecord('c', 1, 1, 1)]))).not.toBe(`${drawn} c`);
  });
});
