import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { executable } from './agents.ts';
import { clusterEnv, type Env, parametersOf } from './situations.ts';
import { type Contestant, contestants, median } from './statistics.ts';
import { disk } from './world.ts';

/** A node with this many resources, and what the monitors of one minute cost it, at an interval of 10 s. */
export type Load = {
  readonly resources: number;
  readonly what: string;
  /** Seconds of processor time. */
  readonly minute: Readonly<Record<Contestant, number>>;
};

type Resource = { readonly agent: string; readonly name: string; readonly env: Env };
const monitorsAMinute = 6;

/** A node full of services, then how its load grows with them. All resources of a step are there while they are monitored. */
export async function scale(folder: string, say: (text: string) => void): Promise<readonly Load[]> {
  const loads: Load[] = [];
  const disks: Resource[] = [];
  for (let n = 0; n < 20; n++) disks.push(filesystem(folder, n, await disk(folder, `scale${n}`), 'ext4'));
  const full = [...many(50, (n) => share(folder, n)), ...many(50, address), ...disks];
  loads.push(await loadOf(folder, '50 exports, 50 addresses, 20 filesystems', full, say));
  for (const count of [10, 50, 100, 200]) {
    const half = count / 2;
    const mixed = [...many(half, address), ...many(half, (n) => filesystem(folder, n, 'tmpfs', 'tmpfs'))];
    loads.push(await loadOf(folder, `${half} addresses, ${half} tmpfs`, mixed, say));
  }
  return loads;
}

const many = (count: number, make: (n: number) => Resource): readonly Resource[] =>
  Array.from({ length: count }, (_, n) => make(n));

const address = (n: number): Resource => ({
  agent: 'IPaddr2',
  name: `address${n}`,
  env: parametersOf({ ip: `10.99.8.${n + 1}`, cidr_netmask: 16, nic: 'eth0' }),
});

function share(folder: string, n: number): Resource {
  const directory = join(folder, 'scale/exports', String(n));
  mkdirSync(directory, { recursive: true });
  const env = parametersOf({ directory, clientspec: '10.99.0.0/16', options: 'rw', fsid: n + 1 });
  return { agent: 'exportfs', name: `share${n}`, env };
}

function filesystem(folder: string, n: number, device: string, fstype: string): Resource {
  const directory = join(folder, 'scale', fstype, String(n));
  mkdirSync(directory, { recursive: true });
  return { agent: 'Filesystem', name: `${fstype}${n}`, env: parametersOf({ device, directory, fstype }) };
}

async function loadOf(
  folder: string,
  what: string,
  resources: readonly Resource[],
  say: (text: string) => void,
): Promise<Load> {
  say(`scale: ${what}`);
  await callAll(folder, 'native', 'start', resources);
  const seconds: Record<Contestant, number[]> = { stock: [], native: [], script: [] };
  for (let round = 0; round < 3; round++)
    for (const who of contestants) seconds[who].push(await callAll(folder, who, 'monitor', resources));
  await callAll(folder, 'native', 'stop', resources);
  const minute = (who: Contestant) => median(seconds[who]) * monitorsAMinute;
  return {
    resources: resources.length,
    what,
    minute: { stock: minute('stock'), native: minute('native'), script: minute('script') },
  };
}

/** Calls an action of every resource, one after the other; seconds of processor time, this loop's own not counted. */
async function callAll(
  folder: string,
  who: Contestant,
  action: string,
  resources: readonly Resource[],
): Promise<number> {
  const calls = resources.map(({ agent, name, env }) => {
    const words = Object.entries({ ...env, OCF_RESOURCE_INSTANCE: name }).map(
      ([key, value]) => `${key}='${value}'`,
    );
    const answer = `echo "${agent} ${name} answered $?"`;
    return `(export ${words.join(' ')}; exec ${executable(folder, who, agent)} ${action}) || ${answer}`;
  });
  const [script, report] = [join(folder, 'all.sh'), join(folder, 'all.time')];
  writeFileSync(script, `${calls.join('\n')}\n`);
  const { stdout } = await execa('time', ['-q', '-f', '%U %S', '-o', report, 'sh', script], {
    env: clusterEnv(folder),
    extendEnv: false,
    cwd: '/',
    stdin: 'ignore',
  });
  if (stdout) throw new Error(`${who} ${action}: ${stdout.slice(0, 300)}`);
  const [user = 0, system = 0] = readFileSync(report, 'utf8').trim().split(' ').map(Number);
  return user + system;
}
