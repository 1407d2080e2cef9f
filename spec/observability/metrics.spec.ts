import { describe, expect, it } from 'vitest';
import { Metrics } from '../../src/observability/metrics.js';

describe('metrics', () => {
  it('show what was counted, and what was not counted yet as 0', async () => {
    const metrics = new Metrics();
    const dropped = metrics.counters('dialog_sip_dropped_total', 'What was dropped', 'kind', ['noise', 'stranger']);
    dropped.noise.add();
    dropped.noise.add();
    expect(await metrics.text()).toContain('dialog_sip_dropped_total{kind="noise"} 2\ndialog_sip_dropped_total{kind="stranger"} 0\n');
    dropped.stranger.add();
    expect(await metrics.text()).toContain('dialog_sip_dropped_total{kind="noise"} 2\ndialog_sip_dropped_total{kind="stranger"} 1\n');
  });

  it('show a combination of labels from when it was first counted', async () => {
    const metrics = new Metrics();
    const ended = metrics.counter('dialog_sip_calls_ended_total', 'Calls that ended', ['reason', 'class']);
    expect(await metrics.text()).not.toContain('dialog_sip_calls_ended_total{');
    ended({ reason: 'busy', class: 'client' });
    ended({ reason: 'busy', class: 'client' });
    ended({ reason: 'media', class: 'upstream' });
    expect(await metrics.text()).toContain(
      'dialog_sip_calls_ended_total{reason="busy",class="client"} 2\ndialog_sip_calls_ended_total{reason="media",class="upstream"} 1\n',
    );
  });

  it('read a gauge when they are asked for', async () => {
    const metrics = new Metrics();
    let servers = 3;
    metrics.gauges('dialog_sip_transactions', 'Under way', 'role', () => ({ client: 1, server: servers }));
    expect(await metrics.text()).toContain('dialog_sip_transactions{role="client"} 1\ndialog_sip_transactions{role="server"} 3\n');
    servers = 0;
    expect(await metrics.text()).toContain('dialog_sip_transactions{role="server"} 0\n');
  });

  it('are apart for each extension in a process', async () => {
    new Metrics().counters('dialog_sip_dropped_total', 'one', 'kind', ['a']).a.add();
    const other = new Metrics();
    other.counters('dialog_sip_dropped_total', 'two', 'kind', ['a']);
    expect(await other.text()).toContain('dialog_sip_dropped_total{kind="a"} 0\n');
  });
});
