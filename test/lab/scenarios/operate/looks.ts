import { peerOf } from '../../settings.ts';
import type { Run } from '../run.ts';
import { activeNode, expectTsha } from './tsha.ts';

/** A quiet pair, looked at from either node. */
export async function lookAround(run: Run): Promise<void> {
  const { checks, plan } = run;
  checks.begin('look');
  const active = await activeNode(run);
  const standing = peerOf(active);
  const isOurs = !plan.provider.startsWith('stock');
  const cases: readonly (readonly [words: string, code: number, says: RegExp])[] = [
    [
      'status',
      0,
      new RegExp(`OK +${active} serves 10\\.77\\.0\\.20 .*with a second copy[\\s\\S]*Nothing to do\\.`),
    ],
    ['status -q', 0, /^\S+ +OK .*[^\n]*$/],
    ['status --json', 0, /"kind":"status".*"secondCopy":true/],
    ['--lang zh status', 0, /正常[\s\S]*无需操作/],
    ['check', 1, /FENCING_OFF[\s\S]*INFODIR_EXPORTED/],
    [`check --what-if ${active}`, 1, new RegExp(`promote Data:?\\d? ${standing}`)],
    ['explain SPLIT_BRAIN', 0, /tsha split-brain/],
    ['explain nfs_ip', 0, new RegExp(`Started on ${active}`)],
    ['explain DataClone', 0, new RegExp(`Promoted on ${active}`)],
    [`explain ${standing}`, 0, new RegExp(`${standing}: online, standby no; runs .*Data \\(Unpromoted\\)`)],
    ['explain nobody', 3, /there is no resource, node or code nobody here/],
    ['split-brain', 0, /No split brain/],
    ['switch -n', 0, /both copies are UpToDate[\s\S]*cibadmin --create[\s\S]*cibadmin --delete/],
    [`switch ${active}`, 0, /runs on .* already/],
    [`maintenance on ${active} -y`, 2, new RegExp(`tsha switch ${standing}`)],
    ['maintenance off', 0, /Nothing to do/],
    ['metrics', 0, /tsha_second_copy\{.*\} 1/],
    ...(isOurs ? [['agent IPaddr2 monitor --ip=203.0.113.7', 1, /7, not running/] as const] : []),
  ];
  for (const node of [active, standing])
    for (const [words, code, says] of cases)
      await expectTsha(run, {
        ...{ node, words, code, says },
        ...(words === 'status' && node === active ? { screen: 'healthy' } : {}),
      });
}

/** A monitoring system asks every minute, on a machine whose processor is for others. */
export async function cheapToAsk(run: Run): Promise<void> {
  const { checks, steps, figures } = run;
  checks.begin('cost');
  const active = await activeNode(run);
  const rounds = 3;
  const spent = (command: string) =>
    steps.run(`processor time of ${command}, ${rounds} times`, 240, async (signal) => {
      const loop = `for i in 1 2 3; do ${command} > /dev/null 2> /dev/null; done`;
      const text = await run.lab
        .machine(active)
        .run(`bash -c 'TIMEFORMAT="%U %S"; time { ${loop}; }' 2>&1`, { signal, timeout: 200_000 });
      return (text.match(/[\d.]+/g) ?? []).reduce((sum, part) => sum + Number(part), 0) / rounds;
    });
  await spent('tsha status');
  const ours = await spent('tsha status');
  const theirs = await spent('pcs status --full');
  const ratio = (ours / theirs).toFixed(2);
  const outcome = `${ours.toFixed(2)} s beside ${theirs.toFixed(2)} s: ${ratio}`;
  figures.push({ scenario: 'processor time of tsha status beside pcs status --full', outcome });
  checks.add('status takes at most 0.3 of what pcs status --full takes', ours <= 0.3 * theirs, outcome);
}
