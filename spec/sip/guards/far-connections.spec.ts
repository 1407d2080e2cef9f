import { expect, it } from 'vitest';
import { answer, Subject } from '../conformance/subject.js';
import { ScriptedPeer } from '../../support/scripted-peer.js';

it('a connection to the far end of a call gives way to one to another far end, that to the registrar never', async () => {
  const subject = await Subject.open('tcp', { maxUnheldConnections: 1 });
  const farEnds = [await ScriptedPeer.openTcp(), await ScriptedPeer.openTcp(), await ScriptedPeer.openTcp()];
  for (const far of farEnds) {
    const { accepted } = subject.place();
    (await subject.peer.next('INVITE')).reply(200, [`Contact: <sip:far@127.0.0.1:${String(far.port)};transport=tcp>`], answer);
    await far.next('ACK');
    (await accepted).bye();
    (await far.next('BYE')).reply(200);
  }
  expect(subject.account.flowName).toBe(`tcp 127.0.0.1:${String(subject.peer.port)}`);
  await subject.close();
  await Promise.all(farEnds.map((far) => far.close()));
});
