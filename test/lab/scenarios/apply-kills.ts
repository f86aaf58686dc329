import { Random } from '../../fuzz/random.ts';
import type { NodeName } from '../settings.ts';
import { judge } from './judge.ts';
import { activeNode, expectTsha, tsha } from './operate/tsha.ts';
import { now, type Run } from './run.ts';

// `tsha apply` killed at any moment: the cluster has the old configuration or the new one, as a whole.

const seed = Number(process.env['TSHA_CAMPAIGN_SEED'] ?? 1);
const points = Number(process.env['TSHA_LAB_KILLS'] ?? 50);

/** Resources and constraints, whatever was counted meanwhile. */
const configuration = ({ lab, steps }: Run, node: NodeName): Promise<string> =>
  steps.run('the configuration', 60, (signal) =>
    lab
      .machine(node)
      .run('cibadmin --query --scope resources; cibadmin --query --scope constraints', { signal }),
  );

/** Two files that differ in an export, and in the options of another one. */
const files = `
tsha migrate --to=tsha -y
rm -f /run/old.yaml && tsha init --from-cluster -c /run/old.yaml
sed 's|clients: \\[ "\\*" \\], options: "rw,sync,no_root_squash", fsid: 0, ids: \\[ nfs-root \\]|clients: ["*", 10.77.0.0/24], options: "rw,sync,no_root_squash,no_subtree_check", fsid: 0, ids: [nfs-root, nfs-export-more]|' /run/old.yaml > /run/new.yaml
cat /run/new.yaml`;

export async function applyKilled(run: Run): Promise<void> {
  const { checks, lab, steps } = run;
  checks.begin(`apply killed, seed ${seed}`);
  const happened = now();
  const active = await activeNode(run);
  await steps.run('agents of tsha, and two files', 300, (signal) =>
    lab.machine(active).run(files, { signal }),
  );
  const known: Record<'old' | 'new', string> = { old: '', new: '' };
  let takes = 30;
  for (const name of ['old', 'new'] as const) {
    const began = now();
    await expectTsha(run, {
      ...{ node: active, words: `apply -y -c /run/${name}.yaml`, code: 0 },
      says: /All of it runs on|Nothing to do/,
    });
    takes = now() - began;
    known[name] = await configuration(run, active);
  }
  checks.add(
    'the two differ',
    known.old !== known.new && /nfs-export-more/.test(known.new) && !/nfs-export-more/.test(known.old),
  );
  let [is, counts] = ['new' as 'old' | 'new', { old: 0, new: 0 }];
  const between: string[] = [];
  for (let point = 0; point < points; point++) {
    const random = new Random(seed, point);
    const to = is === 'old' ? 'new' : 'old';
    // until it would have ended by itself; what it does after the push is only to look
    const after = Math.round(random.next() * takes * 80) / 100;
    await steps.run(`${point + 1}: apply ${to}, SIGKILL after ${after} s`, 200, (signal) =>
      lab
        .machine(active)
        .run(
          `tsha apply -y -c /run/${to}.yaml > /run/broken 2>&1 & p=$!; sleep ${after}; kill -KILL $p 2> /dev/null; wait $p; crm_resource --wait --timeout=60; true`,
          { signal, timeout: 190_000 },
        ),
    );
    const seen = await configuration(run, active);
    if (seen === known.old) is = 'old';
    else if (seen === known.new) is = 'new';
    else between.push(`${point + 1}, after ${after} s: ${seen}`);
    counts = { ...counts, [is]: counts[is] + 1 };
    if (between.length > 0) break;
  }
  checks.add(
    `killed at ${points} points: the old configuration or the new one`,
    between.length === 0,
    between.join('\n') || `old after ${counts.old} of them, new after ${counts.new}`,
  );
  const last = await steps.run('apply comes to its end', 300, (signal) =>
    tsha(run, active, 'apply -y -c /run/old.yaml', signal, 290_000),
  );
  checks.add('the next run does what is left', last.code === 0, last.code === 0 ? '' : last.said);
  checks.add('the file is what the cluster has', (await configuration(run, active)) === known.old);
  await judge(run, await activeNode(run), happened, `apply killed at ${points} points`);
}
