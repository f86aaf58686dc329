import { createHash } from 'node:crypto';
import { procVersion, versionText } from '../../lib/host/drbd/version.ts';
import type { Host } from '../../lib/host/host.ts';
import { readIfThere } from '../../lib/host/local-files.ts';
import { agentConf, nfsConf } from '../../lib/host/nfs/conf.ts';
import type { Argv } from '../../lib/host/sys/sys.ts';
import { version } from '../../metadata/version.ts';
import { findingsInConfiguration } from '../findings/configuration.ts';
import { type Facts, gather } from './gather.ts';
import { orNull } from './known.ts';
import type { LookAnswer } from './other-node.ts';
import { replicated } from './service.ts';
import { lookAtSetup } from './setup.ts';

/** What `tsha check` wants to know of the other machine: what should be alike on both, and what is wrong with this one by itself. */
export async function lookAtMachine(host: Host): Promise<LookAnswer> {
  const facts = await gather(host, Date.now());
  const setup = await lookAtSetup(host, orNull(facts.cluster));
  const own = findingsInConfiguration(facts, setup).filter(({ node }) => node === facts.node);
  return {
    ...(await comparable(host, facts)),
    findings: own.map(({ code, facts: told, evidence }) => ({ code, facts: told, evidence: [...evidence] })),
  };
}

/** Of this node, to be held against the other one's. */
export async function comparable(host: Host, facts: Facts): Promise<Omit<LookAnswer, 'findings'>> {
  const cluster = orNull(facts.cluster);
  const names = cluster ? replicated(cluster).map(({ name }) => name) : [];
  const [versions, configurations] = await Promise.all([versionsHere(host), configurationsHere(host, names)]);
  return { clock: Date.now(), versions, configurations };
}

async function versionsHere(host: Host): Promise<LookAnswer['versions']> {
  const proc = procVersion((await readIfThere(host, '/proc/drbd')) ?? '');
  const [pacemaker, utils, kernel] = await Promise.all([
    said(host, ['pacemakerd', '--version'], /^Pacemaker (\S+)/m),
    said(host, ['drbdadm', '--version'], /^DRBDADM_VERSION=(\S+)/m),
    readIfThere(host, '/proc/sys/kernel/osrelease'),
  ]);
  return {
    tsha: version,
    Pacemaker: pacemaker,
    DRBD: proc ? versionText(proc) : null,
    'drbd-utils': utils,
    Linux: kernel?.trim() ?? null,
  };
}

async function said(host: Host, argv: Argv, pattern: RegExp): Promise<string | null> {
  const { stdout } = await host.tryRun(argv, { timeoutMs: 5000 });
  return pattern.exec(stdout)?.[1] ?? null;
}

/** Their digests, without comments and blanks; null for what this node does not have. */
async function configurationsHere(
  host: Host,
  drbd: readonly string[],
): Promise<LookAnswer['configurations']> {
  const corosync = await readIfThere(host, '/etc/corosync/corosync.conf');
  // the agent's own is only where the server runs
  const conf = await nfsConf(host, agentConf);
  const nfs = ['nfsd', 'lockd', 'mountd', 'statd'].flatMap((section) =>
    ['grace-time', 'lease-time', 'port', 'vers3', 'scope', 'threads'].map(
      (key) => `${section} ${key} ${conf.get(section, key) ?? ''}`,
    ),
  );
  const resources = await Promise.all(
    drbd.map(async (name) => {
      const { code, stdout } = await host.tryRun(['drbdadm', '-d', 'dump', name], { timeoutMs: 10_000 });
      return [`DRBD resource ${name}`, code === 0 ? digest(stdout) : null] as const;
    }),
  );
  return {
    'corosync.conf': corosync === undefined ? null : digest(corosync),
    'nfs.conf': digest(nfs.join('\n')),
    ...Object.fromEntries(resources),
  };
}

/** Of a text as its program understands it. */
const digest = (text: string): string => {
  const lines = text
    .split('\n')
    .map((line) =>
      line
        .replace(/^\s*#.*/, '')
        .replace(/\s+/g, ' ')
        .trim(),
    )
    .filter(Boolean);
  return createHash('sha256').update(lines.join('\n')).digest('hex').slice(0, 16);
};
