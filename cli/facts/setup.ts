import { drbdadm } from '../../lib/host/drbd/admin.ts';
import {
  type Configuration,
  type MissingHandler,
  missingHandlers,
  parseConfiguration,
} from '../../lib/host/drbd/configuration.ts';
import { commandFailure, type Host } from '../../lib/host/host.ts';
import { isThere, listIfThere, readIfThere } from '../../lib/host/local-files.ts';
import type { Cluster } from './cluster.ts';
import { type Corosync, lookAtCorosync } from './corosync.ts';
import { type Known, tryToKnow } from './known.ts';
import { replicated } from './service.ts';

/** What is configured around the cluster on this node, and decides about the day of a failure. */
export type Setup = {
  /** Null without corosync.conf. */
  readonly corosync: Known<Corosync | null>;
  /** Units (`drbd.service`), and init scripts (`drbd`) where there is no systemd, that are started at boot, of those that are in the cluster's way. */
  readonly atBoot: Known<readonly string[]>;
  /** Mount units that an administrator wrote. */
  readonly mountUnits: Known<readonly MountUnit[]>;
  /** Null where nothing filters what comes in, or nobody can tell how. */
  readonly firewall: Known<Firewall | null>;
  readonly fstab: Known<readonly FstabLine[]>;
  readonly kernels: Known<readonly Kernel[]>;
  /** Whether this node's kernel gives a client a write delegation with each file that it claims after a restart of the server. */
  readonly delegatesClaims: Known<boolean>;
  /** By the resources' names. */
  readonly drbd: ReadonlyMap<string, Known<DrbdSetup>>;
};

export type FstabLine = {
  readonly device: string;
  readonly directory: string;
  readonly isAutomatic: boolean;
};
export type MountUnit = { readonly unit: string; readonly device: string; readonly directory: string };
export type Kernel = {
  readonly name: string;
  readonly hasDrbd: boolean;
  /** A module of its own beside the kernel's, as DRBD 9 is: below updates, extra or weak-updates. */
  readonly hasOwnDrbd: boolean;
};
/** Input that is dropped or refused unless a rule allows it. */
export type Firewall = {
  /** Ranges of ports that some rule names, first and last. */
  readonly named: readonly (readonly [first: number, last: number])[];
};
export type DrbdSetup = Configuration & {
  /** The after-sb policies that give up somebody's changes, as written: `after-sb-0pri discard-older-primary`. */
  readonly discarding: readonly string[];
  /** Handlers whose program does not exist. */
  readonly missing: readonly MissingHandler[];
};

const unitsInTheWay: readonly string[] = ['nfs-server.service', 'nfs-kernel-server.service', 'drbd.service'];

export async function lookAtSetup(host: Host, cluster: Cluster | null): Promise<Setup> {
  const names = cluster ? replicated(cluster).map(({ name }) => name) : [];
  const [corosync, atBoot, mountUnits, firewall, fstab, kernels, delegatesClaims, ...drbd] =
    await Promise.all([
      tryToKnow(() => lookAtCorosync(host)),
      tryToKnow(() => startedAtBoot(host)),
      tryToKnow(() => mountUnitsOf(host)),
      tryToKnow(() => firewallOf(host)),
      tryToKnow(async () => readFstab((await readIfThere(host, '/etc/fstab')) ?? '')),
      tryToKnow(() => kernelsHere(host)),
      tryToKnow(() => delegatesClaimsHere(host)),
      ...names.map((name) => tryToKnow(() => drbdSetup(host, name))),
    ]);
  const byName = names.flatMap((name, index) => {
    const found = drbd[index];
    return found ? [[name, found] as const] : [];
  });
  return { corosync, atBoot, mountUnits, firewall, fstab, kernels, delegatesClaims, drbd: new Map(byName) };
}

/** Write delegations came with Linux 6.6. */
async function delegatesClaimsHere(host: Host): Promise<boolean> {
  const leases = (await readIfThere(host, '/proc/sys/fs/leases-enable')) ?? '0';
  const [major = 0, minor = 0] = ((await readIfThere(host, '/proc/sys/kernel/osrelease')) ?? '')
    .split('.')
    .map((part) => Number.parseInt(part, 10));
  return leases.trim() !== '0' && (major > 6 || (major === 6 && minor >= 6));
}

const unitDir = '/etc/systemd/system';

async function startedAtBoot(host: Host): Promise<readonly string[]> {
  const dirs = (await listIfThere(host, unitDir)).filter((name) => /\.target\.(wants|requires)$/.test(name));
  const names = await Promise.all(dirs.map((dir) => listIfThere(host, `${unitDir}/${dir}`)));
  const units = unitsInTheWay.filter((unit) => names.flat().includes(unit));
  if (await isThere(host, '/run/systemd/system')) return units;
  const scripts = await Promise.all(
    ['rc2.d', 'rc3.d', 'rc5.d'].map((dir) => listIfThere(host, `/etc/${dir}`)),
  );
  const named = scripts.flat().flatMap((name) => scriptsInTheWay.exec(name)?.[1] ?? []);
  return [...new Set([...units, ...named])];
}

/** `S20nfs-kernel-server` */
const scriptsInTheWay = /^S\d\d(drbd|nfs-kernel-server|nfs-server|nfs)$/;

/** `What=` and `Where=`, a line each. */
async function mountUnitsOf(host: Host): Promise<readonly MountUnit[]> {
  const units = (await listIfThere(host, unitDir)).filter((name) => /\.(auto)?mount$/.test(name));
  return Promise.all(
    units.map(async (unit) => {
      const text = (await readIfThere(host, `${unitDir}/${unit}`)) ?? '';
      const value = (key: string) =>
        new RegExp(`^[ \\t]*${key}[ \\t]*=[ \\t]*(\\S+)`, 'm').exec(text)?.[1] ?? '';
      return { unit, device: value('What'), directory: value('Where') };
    }),
  );
}

/**
 * By `nft list ruleset`, which also has the rules that iptables made:
 *
 *     chain INPUT { type filter hook input priority filter; policy drop;   (1)
 *       tcp dport { 22, 2049, 32765-32769 } accept                         (2)
 *
 * (1) what is not allowed does not come in; a rule that rejects or drops everything at the end of a chain does the same  (2) ports that a rule names
 */
async function firewallOf(host: Host): Promise<Firewall | null> {
  const argv = ['nft', '--numeric', 'list', 'ruleset'] as const;
  const output = await host.tryRun([...argv], { timeoutMs: 5000 });
  if (output.missing) return null;
  if (output.code !== 0) throw commandFailure([...argv], output);
  const rules = output.stdout;
  const chains = rules.split('\n').flatMap((line) => line.split('hook input ', 2)[1] ?? []);
  const filters = chains.some((chain) => chain.includes('policy drop'));
  const refuses = chains.length > 0 && /^[ \t]*(counter .*)?(drop|reject( with .*)?)$/m.test(rules);
  if (!filters && !refuses) return null;
  const named = [...rules.matchAll(/dport (?:\{([^{}]*)\}|(\d[\d-]*))/g)].flatMap(([, set, one = '']) =>
    (set ?? one).split(',').flatMap((range) => {
      const [first = Number.NaN, last = first] = range.trim().split('-').map(Number);
      return Number.isInteger(first) ? [[first, last] as const] : [];
    }),
  );
  return { named };
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
  const files = output.stdout.split('\n');
  return names.map((name) => {
    const own = files.filter((file) => file.startsWith(`/lib/modules/${name}/`));
    return { name, hasDrbd: own.length > 0, hasOwnDrbd: own.some((file) => !file.includes('/kernel/')) };
  });
}

export async function drbdSetup(host: Host, name: string): Promise<DrbdSetup> {
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
