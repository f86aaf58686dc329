import fc from 'fast-check';
import { tried } from '../../../../host/campaign.ts';
import { configure } from '../../../cluster/drbd-resource.ts';
import type { Machine } from '../../../machines/machine.ts';
import type { Run } from '../../run.ts';
import { callAgent } from '../by-hand/call.ts';
import { isDrbd9 } from '../cases.ts';
import { agentActions, complaintsAbout, type Minor, parseTable } from './judge.ts';

// Random sequences of calls of the agent on node1, of what people and cables do in between, and /proc/drbd as the judge of every answer.

/** What somebody does; a second time takes back what can be taken back. */
const events = ['the link is cut', 'the device is opened', 'drbdadm aborts'] as const;
const hands = [
  'drbdadm up data',
  'drbdadm primary data',
  'drbdadm secondary data',
  'drbdadm disconnect data',
  'drbdadm detach data',
] as const;
const peerHands = ['drbdadm up data', 'drbdadm down data', 'drbdadm connect data'] as const;
const notices = ['start', 'stop', 'promote', 'demote'].flatMap((operation) =>
  ['pre', 'post'].map((type) => ({ notify_type: type, notify_operation: operation })),
);

type Step =
  | { readonly call: (typeof agentActions)[number]; readonly notice?: (typeof notices)[number] }
  | { readonly event: (typeof events)[number] }
  | { readonly hand: string; readonly on: 'node1' | 'node2' };

const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    { weight: 7, arbitrary: fc.constantFrom(...agentActions.slice(0, -1)).map((call): Step => ({ call })) },
    { weight: 1, arbitrary: fc.constantFrom(...notices).map((notice): Step => ({ call: 'notify', notice })) },
    { weight: 2, arbitrary: fc.constantFrom(...events).map((event): Step => ({ event })) },
    { weight: 1, arbitrary: fc.constantFrom(...hands).map((hand): Step => ({ hand, on: 'node1' })) },
    { weight: 1, arbitrary: fc.constantFrom(...peerHands).map((hand): Step => ({ hand, on: 'node2' })) },
  ),
  { minLength: 3, maxLength: 12 },
);

const ours = 1;
const theirs = 5;
const table = 'cat /proc/drbd';
const openDevice = `{ setsid sleep 3600 < /dev/drbd${ours} > /dev/null 2>&1 & } 2> /dev/null; echo $! > /run/holder`;
const isOpen = '[ -e /run/holder ] && kill -0 $(cat /run/holder) 2> /dev/null';
const closeDevice = `if [ -e /run/holder ]; then kill $(cat /run/holder) 2> /dev/null; fi
while fuser -s /dev/drbd${ours}; do sleep 0.1; done; rm -f /run/holder`;
const program = '$(readlink -f "$(command -v drbdadm)")';
const abort = `printf '#!/bin/sh\\nkill -SEGV $$\\n' > /run/aborts; chmod 755 /run/aborts; mount --bind /run/aborts ${program}`;
const mend = `while grep -q ' ${program} ' /proc/mounts; do umount ${program}; done`;

/** A resource of another kind of life: Primary on node1 all the time, without a peer. */
const neighbour = `cat > /etc/drbd.d/other.res <<'END'
resource other {
  device /dev/drbd${theirs} minor ${theirs}; disk /dev/loop${theirs}; meta-disk internal;
  on node1 { address 10.77.1.11:7791; }
  on node2 { address 10.77.1.12:7791; }
}
END
modprobe loop; truncate -s 8M /root/disk${theirs}; mknod -m 600 /dev/loop${theirs} b 7 ${theirs} 2> /dev/null
losetup /dev/loop${theirs} /root/disk${theirs} && drbdadm create-md --force other && drbdadm up other && drbdadm primary --force other`;
const noNeighbour = `drbdadm down other; losetup -d /dev/loop${theirs}; rm -f /etc/drbd.d/other.res`;

const quick = { wfc_timeout: '1' };
const brief = { timeout: '10000' };

/** Both nodes up, connected, Secondary, with the same data; whoever disagrees about it takes node1's. */
async function begin({ lab, cluster }: Run, signal: AbortSignal): Promise<void> {
  const [first, second] = [lab.machine('node1'), lab.machine('node2')];
  await lab.network.mend('node1', 'replication');
  await first.run(`${mend}; ${closeDevice}; true`, { signal });
  for (const node of [first, second])
    await node.run(`drbdadm down data; ${configure({ resyncRate: 200 })}drbdadm up data`, { signal });
  for (let tries = 0; tries < 3; tries++) {
    const isDone = await first.ask(
      'for i in $(seq 100); do drbdadm cstate data | grep -qE "StandAlone|^Connected" && break; sleep 0.2; done; drbdadm cstate data',
      { signal },
    );
    if (!isDone.includes('StandAlone')) break;
    await second.run('drbdadm disconnect data; drbdadm connect --discard-my-data data', { signal });
    await first.run('drbdadm connect data', { signal });
  }
  await cluster.inSync(signal);
}

async function play(run: Run, all: readonly Step[], instance: string, signal: AbortSignal): Promise<void> {
  const { lab } = run;
  const node = lab.machine('node1');
  await begin(run, signal);
  const neighbourBefore = (await look(node, signal)).get(theirs);
  let isCut = false;
  let isWithoutDrbdadm = false;
  for (const [at, step] of all.entries()) {
    if ('hand' in step) await lab.machine(step.on).ask(`timeout 20 ${step.hand}`, { signal });
    else if ('event' in step)
      switch (step.event) {
        case 'the link is cut':
          isCut = !isCut;
          await (isCut ? lab.network.cut('node1', 'replication') : lab.network.mend('node1', 'replication'));
          break;
        case 'the device is opened':
          await node.ask(`if ${isOpen}; then ${closeDevice}; else ${openDevice}; sleep 0.3; fi`, { signal });
          break;
        case 'drbdadm aborts':
          isWithoutDrbdadm = !isWithoutDrbdadm;
          await node.run(isWithoutDrbdadm ? abort : mend, { signal });
      }
    else {
      const before = (await look(node, signal)).get(ours);
      const isHeld = (await node.ask(`if ${isOpen}; then echo held; fi`, { signal })) === 'held';
      const { code, said } = await callAgent(
        node,
        { action: step.call, params: quick, meta: { ...brief, ...step.notice }, instance },
        { signal },
      );
      const found = await look(node, signal);
      const complaints = complaintsAbout({
        ...{ action: step.call, code, said, before, after: found.get(ours) },
        ...{ isHeld, isWithoutDrbdadm },
      });
      if (complaints.length > 0) throw new Error(`step ${at}: ${complaints.join('; ')}`);
    }
    const neighbourAfter = (await look(node, signal)).get(theirs);
    if (neighbourAfter?.role !== neighbourBefore?.role || neighbourAfter?.disk !== neighbourBefore?.disk)
      throw new Error(`step ${at} changed another resource: ${JSON.stringify(neighbourAfter)}`);
  }
}

const look = async (node: Machine, signal: AbortSignal): Promise<ReadonlyMap<number, Minor>> =>
  parseTable(await node.ask(table, { signal }));

/** By hand until it has been seen to pass, with `TSHA_CAMPAIGN_RUNS` or `TSHA_CAMPAIGN_SEED` (see test/README.md). */
export async function randomSequences(run: Run): Promise<void> {
  const { checks, cluster, lab, watch, steps: all } = run;
  const isAsked = process.env['TSHA_CAMPAIGN_RUNS'] || process.env['TSHA_CAMPAIGN_SEED'];
  if (!isAsked || isDrbd9(run)) return; // 9's /proc/drbd has no such table
  checks.begin('random sequences');
  const [first, second] = [lab.machine('node1'), lab.machine('node2')];
  await all.run('Pacemaker stops all resources', 120, (signal) => cluster.stopAll('node1', signal));
  watch.stop(); // hands promote as they like
  await all.run('DRBD is down, and another resource is up', 60, async (signal) => {
    for (const node of [first, second]) await node.ask('drbdadm down all', { signal });
    await first.run(neighbour, { signal });
  });
  let count = 0;
  const answer = await all.run('random sequences', 1800, (signal) =>
    tried({
      file: 'npx tsx test/lab/main.ts test --suite bookworm --campaign drbd',
      situations: steps,
      runs: 1000,
      seconds: 120,
      judge: async (sequence) => {
        signal.throwIfAborted();
        await play(run, sequence, `random-${count++}`, signal);
      },
    }).then(
      (said) => ({ passed: true, said }),
      (error: Error) => ({ passed: false, said: error.message }),
    ),
  );
  checks.add('every answer of the agent is what /proc/drbd says', answer.passed, answer.said);
  await all.run('the nodes as they were', 60, async (signal) => {
    await begin(run, signal);
    await first.run(`${noNeighbour}; true`, { signal });
  });
}
