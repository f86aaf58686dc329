import { test } from 'vitest';
import { expectOcft, type Stale } from '../ocft.ts';
import { makeNetwork } from './network.ts';

const [generic, configured, installed] = ['GENERIC', 'CONFIGURED', 'INSTALLED'].map(
  (code) => `AgentRun start OCF_ERR_${code}`,
) as [string, string, string];
const since417 = 'start answers 5 since 4.17, whose cases say so too';
const noRoute = 'no route leads there: 5 since 4.17, its cases were left behind';
const narrower = 'a narrower prefix than the network has is accepted since 4.17, as for IPv4';
const stale: readonly Stale[] = [
  ['IPaddr2', 2, configured, installed, since417],
  ['IPaddr2', 4, configured, installed, since417],
  ['IPaddr2', 6, configured, installed, since417],
  ['IPaddr2', 8, configured, installed, since417],
  [
    'IPaddr2',
    8,
    'AgentRun validate-all OCF_ERR_CONFIGURED',
    'AgentRun validate-all OCF_SUCCESS',
    'deliberate: by OCF 1.1 validate-all looks at the host only when OCF_CHECK_LEVEL is 10',
  ],
  ...[8, 9, 10, 12, 15, 19].map((number): Stale => ['IPaddr2v4', number, generic, installed, noRoute]),
  ...[6, 10, 11, 14, 15].map((number): Stale => ['IPaddr2v6', number, generic, installed, noRoute]),
  ['IPaddr2v6', 7, configured, installed, since417],
  ['IPaddr2v6', 13, generic, 'AgentRun start OCF_SUCCESS', narrower],
  ['IPaddr2v6', 13, 'Include check_ip_removed', 'Include check_ip_assigned', narrower],
];

const suites = ['IPaddr2', 'IPaddr2v4', 'IPaddr2v6'];

test.concurrent.each(suites)('ocft of IPaddr2: %s', { timeout: 600_000 }, async (suite) => {
  const net = await makeNetwork();
  try {
    await net.ip('address flush dev eth0 scope global');
    const inside = ['ip', 'netns', 'exec', net.node];
    await expectOcft('IPaddr2', suite, stale, { inside, env: { HA_RSCTMP: net.stateDir } });
  } finally {
    await net.destroy();
  }
});
