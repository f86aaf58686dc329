import { wordsOf } from '../../lib/contract/reason.ts';
import { isInstalled, stopUnits } from '../../lib/host/systemd.ts';
import type { Ctx } from './params.ts';
import type { Survey } from './survey.ts';

// rpc.rquotad is of the package quota, knows no nfs.conf, and is no part of the NFS server: with rquotad_port it runs as a unit
// of ours while the server does, in place of the distribution's, if that one runs.

const ours = 'tsha-rpc-rquotad.service';
/** Red Hat's, Debian's. */
const distributions = ['rpc-rquotad.service', 'quotarpc.service'] as const;
const fact = 'rquotad';
const patienceMs = 3000;

/** A port for quotas is no reason to keep clients from their files. Init scripts read it from /etc/sysconfig/nfs. */
export async function startRquotad(ctx: Ctx, { manager }: Survey): Promise<void> {
  const { host, log, memory } = ctx;
  const { rquotad_port: port } = ctx.params;
  if (port === undefined || manager.by !== 'systemd') return;
  if (!(await host.sys.has('rpc.rquotad')))
    return log.warn(`rquotad_port=${port} has no effect: rpc.rquotad is not installed`);
  const replaced: string[] = [];
  for (const unit of distributions) {
    if (!(await isInstalled(host, unit))) continue;
    const { code } = await host.tryRun(['systemctl', 'is-active', '--quiet', unit]);
    if (code === 0) replaced.push(unit);
  }
  try {
    await memory.insist(fact, replaced);
  } catch (error) {
    return log.warn(`rquotad_port=${port} has no effect: ${wordsOf(error)}`); // stop could not give it back
  }
  if (replaced.length > 0) await stopUnits(host, replaced, patienceMs);
  await host.tryRun(['systemctl', 'reset-failed', '--quiet', ours]);
  const run = [
    'systemd-run',
    '--quiet',
    `--unit=${ours}`,
    '--',
    'rpc.rquotad',
    '-F',
    '-p',
    String(port),
  ] as const;
  const { code, stderr, hung } = await host.tryRun(run);
  if (code !== 0) log.warn(`rpc.rquotad does not start on port ${port}: ${hung ?? stderr.trim()}`);
}

/** The distribution's runs again if it did before. */
export async function stopRquotad(ctx: Ctx): Promise<void> {
  const { host, log, memory } = ctx;
  const replaced = await memory.fact<readonly string[]>(fact);
  if (replaced === undefined) return;
  await stopUnits(host, [ours], patienceMs);
  if (replaced.length > 0) {
    const { code, stderr } = await host.tryRun(['systemctl', 'start', ...replaced]);
    if (code !== 0) log.warn(`systemctl start ${replaced.join(' ')}: ${stderr.trim()}`);
  }
  await memory.note(fact, undefined);
}
