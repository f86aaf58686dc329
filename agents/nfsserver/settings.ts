import type { Log } from '../../lib/contract/log.ts';
import { wordsOf } from '../../lib/contract/reason.ts';
import type { Host } from '../../lib/host/host.ts';
import { agentConf } from '../../lib/host/nfs/conf.ts';
import { stateRoot } from '../../lib/host/nfs/state-directory.ts';
import { label, usesLabels } from '../../lib/host/storage/selinux.ts';
import { nodeScope } from './drop-in.ts';
import { setNumbers, type Times, timesOf } from './kernel.ts';
import { argsFor } from './nfsd-args.ts';
import type { Ctx } from './params.ts';
import { type ScopeFacts, settleScope } from './scope.ts';
import type { Survey } from './survey.ts';
import { restoreSysconfig, type Variables, writeSysconfig } from './sysconfig.ts';

// What nfs-utils must know while this server runs, below /run, so that nothing of it survives a crash of the node: the link that
// leads there from nfs.conf.d points nowhere then, which nfs-utils passes over.

const runDir = '/run/tsha-nfs';
const conf = `${runDir}/nfs.conf`;
const exportsDir = `${runDir}/exports`;

type Settings = readonly (readonly [section: string, key: string, value: string])[];

/**
 * Tells nfs-utils and the kernel what this server is to be like, while no thread runs. Returns the node's name that nfsd is to see,
 * where nfs-utils takes the server scope from that.
 */
export async function settle(
  ctx: Ctx,
  survey: Survey,
  facts: ScopeFacts,
  isNewState: boolean,
  callout: string | undefined,
): Promise<string | undefined> {
  const { host } = ctx;
  const scope = await settleScope(ctx, survey, facts);
  const times = await timesOf(ctx, survey, isNewState);
  await writeConf(ctx, survey, { scope: scope.conf, callout }, times);
  if (scope.node === undefined) await host.sys.remove(nodeScope);
  else {
    await host.sys.makeDir(runDir);
    await host.sys.write(nodeScope, `${scope.node}\n`);
  }
  await setNumbers(ctx, times);
  return scope.node;
}

async function writeConf(
  ctx: Ctx,
  survey: Survey,
  { scope, callout }: { readonly scope: string | undefined; readonly callout: string | undefined },
  times: Times,
): Promise<void> {
  const { host, log, params } = ctx;
  const asked = askedFor(params, survey, times);
  const settings: Settings = [
    ...(scope === undefined ? [] : [['nfsd', 'scope', scope] as const]),
    ...(callout === undefined ? [] : [['statd', 'ha-callout', callout] as const]),
    ...asked,
    ...(keepsExportsLocal(survey)
      ? (['exportd', 'mountd'] as const).map((name) => [name, 'state-directory-path', exportsDir] as const)
      : []),
  ];
  if (settings.length === 0) return removeSettings(host, log);
  await host.sys.makeDir(exportsDir);
  for (const file of ['etab', 'rmtab']) await host.sys.write(`${exportsDir}/${file}`, '');
  if (await usesLabels(host))
    await label(host, log, ['chcon', '-R', '--reference', stateRoot, '--', exportsDir]);
  await host.sys.write(conf, `# Written by tsha:nfsserver, removed when it stops.\n${inSections(settings)}`);
  await host.sys.makeDir('/etc/nfs.conf.d');
  await host.run(['ln', '-sfn', '--', conf, agentConf]);

  if (asked.length === 0 || (await isRead(host, asked))) return;
  if (await writeSysconfig(host, log, variables(params))) return;
  log.warn(
    `nfs-utils reads neither /etc/nfs.conf.d nor /etc/sysconfig/nfs here: ${asked.map(([, key]) => key).join(', ')} may have no effect`,
  );
}

const removals = (host: Host, log: Log): readonly (() => Promise<void>)[] => [
  () => host.sys.remove(agentConf),
  () => host.sys.removeTree(runDir),
  () => restoreSysconfig(host, log),
];

async function removeSettings(host: Host, log: Log): Promise<void> {
  for (const remove of removals(host, log)) await remove();
}

/** A stop's part of it: where /etc cannot be written any more the link that is left points nowhere. */
export async function dropSettings(host: Host, log: Log): Promise<void> {
  for (const remove of removals(host, log))
    await remove().catch((error: unknown) => log.warn(`a setting of nfs-utils stays: ${wordsOf(error)}`));
}

/** What the resource's parameters say, in nfs.conf's words. */
function askedFor(
  params: Ctx['params'],
  { nfsd }: Survey,
  { leaseTime, graceTime, lockGraceTime }: Times,
): Settings {
  const one = (section: string, key: string, value: number | undefined): Settings =>
    value === undefined ? [] : [[section, key, String(value)]];
  return [
    ...Object.entries(nfsd).map(([key, value]) => ['nfsd', key, value] as const),
    ...one('nfsd', 'lease-time', leaseTime),
    // rpc.nfsd gives lockd the grace-time of nfs.conf as well, and so does nfsdctl (2.8.4): 0 has them say nothing
    ...one('nfsd', 'grace-time', lockGraceTime === undefined ? graceTime : 0),
    ...(params.nfsv4_only ? [['nfsd', 'vers3', 'n'] as const] : []),
    // Linux has refused nfsdctl's ports without a grace time; the kernel has its ports from the agent as well
    ...(lockGraceTime === undefined
      ? [...one('lockd', 'port', params.lockd_tcp_port), ...one('lockd', 'udp-port', params.lockd_udp_port)]
      : []),
    ...one('statd', 'port', params.statd_port),
    ...one('statd', 'outgoing-port', params.statd_outgoing_port),
    ...one('mountd', 'port', params.mountd_port),
  ];
}

function inSections(settings: Settings): string {
  const names = [...new Set(settings.map(([section]) => section))];
  const lines = names.flatMap((name) => [
    `[${name}]`,
    ...settings.flatMap(([section, key, value]) => (section === name ? [`${key}=${value}`] : [])),
  ]);
  return `${lines.join('\n')}\n`;
}

/** Whether nfs-utils finds the last of the settings: its own tool tells, since version 2.3. */
async function isRead(host: Host, settings: Settings): Promise<boolean> {
  const [section = '', key = '', value = ''] = settings.at(-1) ?? [];
  const { code, stdout } = await host.tryRun(['nfsconf', '--get', section, key], { timeoutMs: 5000 });
  return code === 0 && stdout.trim() === value;
}

/** The same in the words of Red Hat's init scripts and units before nfs.conf. */
function variables(params: Ctx['params']): Variables {
  const { statd_port, statd_outgoing_port, mountd_port, rquotad_port, lockd_tcp_port, lockd_udp_port } =
    params;
  const option = (letter: string, port: number | undefined) =>
    port === undefined ? [] : [`-${letter} ${port}`];
  const nfsd = [argsFor(params), params.nfsv4_only ? ['-N 3'] : []].flat().join(' ');
  const statd = ['--no-notify', ...option('p', statd_port), ...option('o', statd_outgoing_port)].join(' ');
  const set = (name: string, value: string | number | undefined): Variables =>
    value === undefined || value === '' ? {} : { [name]: String(value) };
  return {
    ...set('RPCNFSDARGS', nfsd),
    ...set('LOCKD_UDPPORT', lockd_udp_port),
    ...set('LOCKD_TCPPORT', lockd_tcp_port),
    ...set('STATDARG', statd),
    ...set('RPCMOUNTDOPTS', option('p', mountd_port).join('')),
    ...set('RPCRQUOTADOPTS', option('p', rquotad_port).join('')),
  };
}

/**
 * Exports belong to the node: their list must not travel with the state. And where the state is exported itself, a new etab
 * would break the directory delegation that an NFSv4 client may have (Linux 6.19): exportfs then waits for the whole lease for a
 * client that cannot answer, because the address has gone already.
 */
const keepsExportsLocal = ({ infodir, conf: chosen }: Survey): boolean =>
  infodir !== undefined &&
  ['exportd', 'mountd'].every((name) => chosen.get(name, 'state-directory-path') === undefined);
