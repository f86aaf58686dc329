import { setTimeout as sleep } from 'node:timers/promises';
import { type NodeName, peerOf } from '../../settings.ts';
import type { Run } from '../run.ts';
import { judgeData, letIn, splitTheData } from './split-brain.ts';
import { activeNode, calm, constraints, expectTsha, tsha } from './tsha.ts';

/** How many points in all; the run that is meant to be long has more. */
const points = Number(process.env['TSHA_LAB_KILLS'] ?? 10);

const signals = ['KILL', 'INT', 'TERM', 'KILL'] as const;

/** Ends the command after that many seconds, if it has not ended by itself. */
async function broken(
  run: Run,
  node: NodeName,
  words: string,
  signalName: string,
  after: number,
): Promise<string> {
  const command = `tsha ${words} > /run/broken 2>&1 & p=$!; sleep ${after}; kill -${signalName} $p 2> /dev/null; wait $p; echo "exit $?"; cat /run/broken`;
  return await run.steps.run(`tsha ${words}: SIG${signalName} after ${after} s`, 200, (signal) =>
    run.lab.machine(node).run(command, { signal, timeout: 190_000 }),
  );
}

/** Whatever moment it is: no standby and no constraint outlives its time, no side is given up by half, and `status` tells of it. */
export async function killedAtRandom(run: Run): Promise<void> {
  const { checks } = run;
  checks.begin('killed');
  await letIn(run);
  for (let point = 0; point < points; point++) {
    const signalName = signals[point % signals.length] ?? 'KILL';
    const after = Math.round(Math.random() * (point % 3 === 0 ? 120 : 60)) / 10;
    const title = `${point + 1}: SIG${signalName} after ${after} s`;
    if (point % 3 === 0) await killedSwitch(run, title, signalName, after);
    else if (point % 3 === 1) await killedMaintenance(run, title, signalName, after);
    else await killedRepair(run, title, signalName, after / 2);
  }
}

async function killedSwitch(run: Run, title: string, signalName: string, after: number): Promise<void> {
  const { checks } = run;
  const active = await calm(run);
  const said = await broken(run, active, `switch ${peerOf(active)} -y`, signalName, after);
  const left = await constraints(run, active);
  const endless = /cli-/.test(left) && !/date_expression/.test(left);
  checks.add(`switch, ${title}: no constraint without an end`, !endless, left);
  if (signalName !== 'KILL')
    checks.add(`switch, ${title}: no constraint`, !/cli-/.test(left), `${said} ${left}`);
  if (/cli-/.test(left))
    await expectTsha(run, { node: active, words: 'status', code: [0, 1, 2], says: /SWITCH_UNFINISHED/ });
  await calm(run);
}

async function killedMaintenance(run: Run, title: string, signalName: string, after: number): Promise<void> {
  const { checks, cluster, steps } = run;
  const active = await calm(run);
  const peer = peerOf(active);
  await broken(run, active, `maintenance on ${peer} -y`, signalName, after);
  const lasting = await steps.run('standby', 60, (signal) =>
    run.lab
      .machine(active)
      .run(`crm_standby --node ${peer} --lifetime forever --query --quiet 2> /dev/null || true`, { signal }),
  );
  checks.add(`maintenance, ${title}: no standby that outlives a boot`, !/on|true/.test(lasting), lasting);
  const state = await steps.run('seen', 60, (signal) => cluster.seenFrom(active, signal));
  if (state?.nodes.some((node) => node.name === peer && node.standby))
    await expectTsha(run, { node: active, words: 'status', code: 1, says: /NODE_STANDBY_UNTIL_REBOOT/ });
  await broken(run, active, 'maintenance off', signalName, after);
  const off = await steps.run('maintenance off', 200, (signal) =>
    tsha(run, active, 'maintenance off', signal),
  );
  checks.add(`maintenance, ${title}: once more off`, off.code === 0, off.said);
}

async function killedRepair(run: Run, title: string, signalName: string, after: number): Promise<void> {
  const { checks, cluster, steps } = run;
  const active = await calm(run);
  const peer = peerOf(active);
  const from = Math.random() < 0.5 ? active : peer;
  const sum = await splitTheData(run, active);
  const words = `split-brain data --discard=${peer} --confirm=${peer}`;
  await broken(run, from, words, signalName, after);
  const state = await steps.run('DRBD settles', 60, async (signal) => {
    await sleep(4000, undefined, { signal });
    return await cluster.drbdOn(active, signal);
  });
  const isWhole = state?.disk === 'UpToDate' && state.role === 'Primary';
  checks.add(`split brain, ${title}: the side that stays is as it was`, isWhole, JSON.stringify(state));
  if (state?.connection !== 'Connected') {
    await expectTsha(run, { node: active, words: 'status', code: 2, says: /SPLIT_BRAIN/ });
    await expectTsha(run, { node: from, words, code: 0, says: /Both copies are UpToDate/ });
  } else await steps.run('DRBD goes on by itself', 60, (signal) => cluster.inSync(signal));
  await judgeData(run, await activeNode(run), sum, `split brain, ${title}`);
}
