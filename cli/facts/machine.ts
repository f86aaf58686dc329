import { createHash } from 'node:crypto';
import { catalogue } from '../../lib/findings/catalogue.ts';
import { procVersion, versionText } from '../../lib/host/drbd/version.ts';
import { commandFailure, type Host } from '../../lib/host/host.ts';
import { readIfThere } from '../../lib/host/local-files.ts';
import { agentConf, nfsConf } from '../../lib/host/nfs/conf.ts';
import type { Argv } from '../../lib/host/sys/sys.ts';
import { version } from '../../metadata/version.ts';
import { findingsInConfiguration } from '../findings/configuration.ts';
import { findingsNow } from '../findings/now.ts';
import { type Facts, gather } from './gather.ts';
import { type Known, orNull, tryToKnow } from './known.ts';
import type { LookAnswer } from './other-node.ts';
import { replicated } from './service.ts';
import { lookAtSetup } from './setup.ts';

/** What `tsha check` wants to know of the other machine: what should be alike on both, and what is wrong with this one by itself. */
export async function lookAtMachine(host: Host): Promise<LookAnswer> {
  const facts = await gather(host, Date.now());
  const setup = await lookAtSetup(host, orNull(facts.cluster));
  const own = [
    ...findingsNow(facts).filter(({ code }) => catalogue[code].severity === 'unknown'),
    ...findingsInConfiguration(facts, setup).filter(({ node }) => node === facts.node),
  ];
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

/** Null for what is not installed. What did not answer, and a module that is not loaded, are left out: they are no difference. */
async function versionsHere(host: Host): Promise<LookAnswer['versions']> {
  const [proc, pacemaker, utils, kernel] = await Promise.all([
    readIfThere(host, '/proc/drbd'),
    said(host, ['pacemakerd', '--version'], /^Pacemaker (\S+)/m),
    said(host, ['drbdadm', '--version'], /^DRBDADM_VERSION=(\S+)/m),
    readIfThere(host, '/proc/sys/kernel/osrelease'),
  ]);
  const loaded = procVersion(proc ?? '');
  const found = {
    tsha: version,
    Pacemaker: pacemaker,
    DRBD: loaded ? versionText(loaded) : undefined,
    'drbd-utils': utils,
    Linux: kernel?.trim(),
  };
  return Object.fromEntries(
    Object.entries(found).flatMap(([what, text]) => (text === undefined ? [] : [[what, text]])),
  );
}

async function said(host: Host, argv: Argv, pattern: RegExp): Promise<string | null | undefined> {
  const { missing, stdout } = await host.tryRun(argv, { timeoutMs: 5000 });
  return missing ? null : pattern.exec(stdout)?.[1];
}

/** Their digests, without comments and blanks; null for what this node does not have. What could not be read is a finding, and no difference. */
async function configurationsHere(
  host: Host,
  drbd: readonly string[],
): Promise<LookAnswer['configurations']> {
  const looks: readonly (readonly [name: string, look: Promise<Known<string | null>>])[] = [
    [
      'corosync.conf',
      tryToKnow(async () => (await readIfThere(host, '/etc/corosync/corosync.conf')) ?? null),
    ],
    ['nfs.conf', tryToKnow(() => nfsSettings(host))],
    ...drbd.map((name) => [`DRBD resource ${name}`, tryToKnow(() => dumped(host, name))] as const),
  ];
  const found = await Promise.all(looks.map(async ([name, look]) => [name, await look] as const));
  return Object.fromEntries(
    found.flatMap(([name, text]) =>
      text.is === 'known' ? [[name, text.value === null ? null : digest(text.value)]] : [],
    ),
  );
}

async function nfsSettings(host: Host): Promise<string> {
  // the agent's own is only where the server runs
  const conf = await nfsConf(host, agentConf);
  const lines = ['nfsd', 'lockd', 'mountd', 'statd'].flatMap((section) =>
    ['grace-time', 'lease-time', 'port', 'vers3', 'scope', 'threads'].map(
      (key) => `${section} ${key} ${conf.get(section, key) ?? ''}`,
    ),
  );
  return lines.join('\n');
}

/** Null for a resource that this node does not know. */
async function dumped(host: Host, name: string): Promise<string | null> {
  const argv: Argv = ['drbdadm', '-d', 'dump', name];
  const output = await host.tryRun(argv, { timeoutMs: 10_000 });
  if (output.code === 0) return output.stdout;
  if (output.missing || /not defined|no resources defined/.test(output.stderr)) return null;
  throw commandFailure(argv, output);
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
