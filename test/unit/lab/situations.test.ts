import { expect, test } from 'vitest';
import { judgeSituation, type Situation } from '../../lab/scenarios/nfs/situations.ts';

const situation: Situation = {
  what: 'a stop',
  agent: 'nfsserver',
  action: 'stop',
  exit: 1,
  says: /ocf-exit-reason.*bash/,
  within: 5,
};
const said = 'Nov 22 18:36:10 nfsserver(x)[1]: INFO: hm\nocf-exit-reason:/var/lib/nfs is kept busy by bash';

test.each<[string, string, boolean, string]>([
  ['as it should be', `@@exit 1 100.0 102.5\n${said}\n`, true, '/var/lib/nfs is kept busy by bash'],
  [
    'another exit code',
    `@@exit 0 100.0 102.5\n${said}\n`,
    false,
    'exit 0 instead of 1; /var/lib/nfs is kept busy by bash',
  ],
  [
    'too late',
    `@@exit 1 100.0 116.0\n${said}\n`,
    false,
    'took 16.0 s, not 3 times 5; /var/lib/nfs is kept busy by bash',
  ],
  [
    'another reason',
    '@@exit 1 100.0 101.0\nocf-exit-reason:dunno\n',
    false,
    'did not say /ocf-exit-reason.*bash/: ocf-exit-reason:dunno; dunno',
  ],
  [
    'something left behind',
    `@@exit 1 100.0 101.0\n${said}\n@@unexpected\n+ free\n`,
    false,
    'left behind: + free; /var/lib/nfs is kept busy by bash',
  ],
  [
    'no preparation',
    `@@unprepared\n+ mount x\n@@exit 1 100.0 101.0\n${said}\n`,
    false,
    'could not be prepared: + mount x',
  ],
  ['no answer', '', false, 'no answer'],
])('a situation: %s', (_what, answer, passed, detail) => {
  expect(judgeSituation(situation, answer)).toEqual({ passed, detail });
});
