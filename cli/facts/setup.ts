import { Failure } from '../../lib/contract/outcome.ts';
import { drbdadm } from '../../lib/host/drbd/admin.ts';
import {
  type Configuration,
  type MissingHandler,
  missingHandlers,
  parseConfiguration,
} from '../../lib/host/drbd/configuration.ts';
import { commandFailure, type Host } from '../../lib/host/host.ts';
import { readIfThere } from '../../lib/host/local-files.ts';
import type { Cluster } from './cluster.ts';
import { type Known, tryToKnow } from './known.ts';
import { replicated } from './service.ts';

/** What is configured around the cluster on this node, and decides about the day of a failure. */
export type Setup = {
  /** Null without corosync.conf. */
  readonly corosync: Known<Corosync | null>;
  /** Units that are started at boot, of those that are in the cluster's way. */
  readonly atBoot: Known<readonly string[]>;
  readonly fstab: Known<readonly FstabLine[]>;
  readonly kernels: Known<readonly Kernel[]>;
  /** By the resources' names. */
  readonly drbd: ReadonlyMap<string, Known<DrbdSetup>>;
};

export type Corosync = {
  readonly nodes: number;
  readonly twoNode: boolean;
  readonly waitForAll: boolean | null;
};
export type FstabLine = {
  readonly device: string;
  readonly directory: string;
  readonly isAutomatic: boolean;
};
export type Kernel = { readonly name: string; readonly hasDrbd: boolean };
export type DrbdSetup = Configuration & {
  /** The after-sb policies that give up somebody's changes, as written. */
  readonly discarding: readonly string[];
  /** Handlers whose program does not exist. */
  readonly missing: readonly MissingHandler[];
};

const unitsInTheWay: readonly string[] = ['nfs-server.service', 'nfs-kernel-server.service', 'drbd.service'];

export async function lookAtSetup(host: Host, cluster: Cluster | null): Promise<Setup> {
  const names = cluster ? replicated(cluster).map(({ name }) => name) : [];
  const [corosync, atBoot, fstab, kernels, ...drbd] = await Promise.all([
    tryToKnow(async () => readCorosync(await readIfThere(host, '/etc/corosync/corosync.conf'))),
    tryToKnow(() => startedAtBoot(host)),
    tryToKnow(async () => readFstab((await readIfThere(host, '/etc/fstab')) ?? '')),
    tryToKnow(() => kernelsHere(host)),
    ...names.map((name) => tryToKnow(() => drbdSetup(host, name))),
  ]);
  const byName = names.flatMap((name, index) => {
    const found = drbd[index];
    return found ? [[name, found] as const] : [];
  });
  return { corosync, atBoot, fstab, kernels, drbd: new Map(byName) };
}

function readCorosync(text: string | undefined): Corosync | null {
  if (text === undefined) return null;
  const lines = text.replace(/^\s*#.*$/gm, '');
  const value = (key: string) => new RegExp(`^\\s*${key}:\\s*(\\S+)`, 'm').exec(lines)?.[1];
  const twoNode = value('two_node') === '1';
  const waits = value('wait_for_all');
  return {
    nodes: [...lines.matchAll(/^\s*node\s*\{/gm)].length,
    twoNode,
    waitForAll: waits === undefined ? (twoNode ? true : null) : waits === '1',
  };
}

async function startedAtBoot(host: Host): Promise<readonly string[]> {
  const dir = '/etc/systemd/system/multi-user.target.wants';
  const names = await host.sys.list(dir).catch((error: NodeJS.ErrnoException): readonly string[] => {
    if (error.code === 'ENOENT') return [];
    throw new Failure('failed', `cannot look at ${dir}: ${error.code}`);
  });
  return unitsInTheWay.filter((unit) => names.includes(unit));
}

const readFstab = (text: string): readonly FstabLine[] =>
  text.split('\n').flatMap((line) => {
    const [device = '', directory = '', , options = ''] = line.trim().split(/\s+/);
    if (device === '' || device.startsWith('#') || directory === '') return [];
    return [{ device, directory, isAutomatic: !options.split(',').includes('noauto') }];
  });

async function kernelsHere(host: Host): Promise<readonly Kernel[]> {
  const names = await host.sys.list('/lib/modules');
  const argv = ['find', '/lib/modules', '-name', 'drbd.ko*'] as const;
  const output = await host.tryRun([...argv], { timeoutMs: 10_000 });
  if (output.code !== 0) throw commandFailure([...argv], output);
  return names.map((name) => ({ name, hasDrbd: output.stdout.includes(`/lib/modules/${name}/`) }));
}

async function drbdSetup(host: Host, name: string): Promise<DrbdSetup> {
  const output = await drbdadm(host, name, '/etc/drbd.conf').run(['-d', 'dump-xml', name], {
    timeoutMs: 10_000,
  });
  if (output.code !== 0) throw commandFailure(['drbdadm', 'dump-xml', name], output);
  const configuration = await parseConfiguration(output.stdout);
  const missing = await missingHandlers(host, configuration);
  const policies = [...output.stdout.matchAll(/<option name="(after-sb-[012]pri)" value="([^"]*)"/g)];
  const discarding = policies
    .filter(([, , policy]) => policy !== 'disconnect')
    .map(([, option, policy]) => `${option} ${policy}`);
  return { ...configuration, discarding: [...new Set(discarding)], missing };
}
