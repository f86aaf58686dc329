import { expect, test } from 'vitest';
import { type Called, complaintsAbout, parseTable } from '../../lab/scenarios/drbd/random/judge.ts';

const proc = `version: 8.4.11 (api:1/proto:86-101)
srcversion: 1234

 1: cs:WFConnection ro:Primary/Unknown ds:UpToDate/DUnknown C r-----
    ns:0 nr:0 dw:0 dr:0 al:0 bm:0 lo:0 pe:0 ua:0 ap:0 ep:1 wo:f oos:0
 2: cs:Unconfigured
 5: cs:StandAlone ro:Secondary/Unknown ds:Diskless/DUnknown   r-----
`;

test('/proc/drbd: what is up, and nothing else', () => {
  expect([...parseTable(proc)]).toEqual([
    [1, { connection: 'WFConnection', role: 'Primary', disk: 'UpToDate' }],
    [5, { connection: 'StandAlone', role: 'Secondary', disk: 'Diskless' }],
  ]);
});

const minor = (role: string) => ({ connection: 'Connected', role, disk: 'UpToDate' });
const [primary, secondary, down] = [minor('Primary'), minor('Secondary'), undefined];
const reason = 'ocf-exit-reason:held';

test.each<[Partial<Called>, string]>([
  [{ action: 'monitor', code: 0, before: secondary, after: secondary }, ''],
  [{ action: 'monitor', code: 0, before: primary, after: primary }, 'the table says 8'],
  [{ action: 'monitor', code: 7, before: secondary, after: secondary }, 'the table says 0'],
  [{ action: 'monitor', code: 7 }, ''],
  [{ action: 'monitor', code: 0, before: primary, after: secondary }, 'changed something'],
  [{ action: 'stop', code: 0, before: primary, after: secondary }, 'still up'],
  [{ action: 'stop', code: 0, before: primary, after: down }, ''],
  [{ action: 'stop', code: 1, before: primary, after: primary, said: reason }, 'although nobody holds it'],
  [{ action: 'stop', code: 1, before: primary, after: primary, said: reason, isHeld: true }, ''],
  [{ action: 'stop', code: 1, before: primary, after: primary, isHeld: true }, 'without a reason'],
  [
    { action: 'stop', code: 137, before: primary, after: primary, said: reason, isHeld: true },
    'without a reason',
  ],
  [{ action: 'promote', code: 0, before: secondary, after: secondary }, 'not Primary'],
  [{ action: 'promote', code: 1, before: secondary, after: secondary, said: reason }, ''],
  [{ action: 'demote', code: 0, before: primary, after: primary }, 'not Secondary'],
  [{ action: 'demote', code: 7, before: primary, after: primary }, 'not running, and up'],
  [{ action: 'start', code: 0 }, 'nothing is up'],
  [{ action: 'start', code: 1, said: reason }, 'could not be started'],
  [{ action: 'start', code: 1, said: reason, isWithoutDrbdadm: true }, ''],
  [{ action: 'notify', code: 1, said: reason }, 'a notification failed'],
])('%j: "%s"', (called, complaint) => {
  const usual: Called = {
    ...{ action: 'monitor', code: 0, said: '', before: down, after: down },
    ...{ isHeld: false, isWithoutDrbdadm: false },
  };
  const found = complaintsAbout({ ...usual, ...called }).join('; ');
  if (complaint === '') expect(found).toBe('');
  else expect(found).toContain(complaint);
});
