import { Failure } from '../../contract/outcome.ts';
import { firstLine, type Host } from '../host.ts';
import type { Argv } from '../sys/sys.ts';
import { parseProcDrbd, parseShStatus, resourceInProc } from './drbd84.ts';
import { type Dump, parseEvents2 } from './events2.ts';
import { type Configured, type DrbdState, isResourceName, type Resource } from './state.ts';
import { parseStatusJson } from './status-json.ts';
import { procVersion, type Version } from './version.ts';

/**
 * Asks the kernel about one resource: 8.4 without any command where it can be, else with one where all is well. `events2` comes first on both generations: the same
 * grammar, exit 0 for a resource that does not exist, and an end mark that tells a complete answer from half of one. Nothing is
 * asked without the module, because every drbdsetup call would load it.
 */
export async function drbdState(host: Host, name: string): Promise<DrbdState> {
  if (!isResourceName(name)) return { kind: 'absent' };
  const proc = await host.sys.read('/proc/drbd').catch(() => undefined);
  if (proc === undefined && !(await exists(host, '/sys/module/drbd'))) return { kind: 'absent-module' };
  const kernel = procVersion(proc ?? '') ?? newest;

  const seen = kernel[0] < 9 ? await resourceInProc(host, name, proc ?? '') : undefined;
  if (seen) return { kind: 'configured', resource: seen, kernel };
  const first = await ask(host, ['drbdsetup', 'events2', '--now', name], (text) => parseEvents2(text, name));
  if ('dump' in first) return toState(host, first.dump, kernel);
  if (first.final)
    return first.toolMissing ? withoutTools(host, first.why) : { kind: 'unknown', why: first.why };
  const second =
    kernel[0] >= 9
      ? await ask(host, ['drbdsetup', 'status', name, '--json'], (text) => parseStatusJson(text, name))
      : await ask(host, ['drbdsetup', 'sh-status', name], (text) => parseShStatus(text, name));
  return 'dump' in second ? toState(host, second.dump, kernel) : { kind: 'unknown', why: first.why };
}

export type KnownState = Exclude<DrbdState, { readonly kind: 'unknown' }>;

/** The state, asked for again and again when the kernel cannot be asked; throws `Failure` when it stays unknown. */
export async function knownState(host: Host, name: string, patienceMs: number): Promise<KnownState> {
  let state: DrbdState = { kind: 'unknown', why: 'no time left to ask' };
  await host.until(async () => {
    state = await drbdState(host, name);
    return state.kind !== 'unknown';
  }, patienceMs);
  return certain(name, state);
}

function certain(name: string, state: DrbdState): KnownState {
  if (state.kind !== 'unknown') return state;
  throw new Failure('failed', `the state of DRBD resource ${name} is unknown: ${state.why}`);
}

/** A module that does not tell its version is newer than this code: DRBD 8 always did. */
const newest: Version = [9, 0, 0];

type Answer =
  | { readonly dump: Dump }
  /** `final`: asking in another way cannot help. */
  | { readonly why: string; readonly final: boolean; readonly toolMissing: boolean };

async function ask(host: Host, argv: Argv, parse: (text: string) => Dump | undefined): Promise<Answer> {
  const output = await host.tryRun(argv);
  const command = argv.join(' ');
  if (output.missing) return { why: 'drbdsetup is not installed', final: true, toolMissing: true };
  if (output.hung) return { why: `"${command}" hung (${output.hung})`, final: true, toolMissing: false };
  const dump = output.code === 0 ? parse(output.stdout) : undefined;
  if (dump) return { dump };
  const said = firstLine(output.stderr) || (output.code === 0 ? 'incomplete output' : `exit ${output.code}`);
  return { why: `${command}: ${said}`, final: false, toolMissing: false };
}

async function toState(host: Host, { resource }: Dump, kernel: Version): Promise<DrbdState> {
  if (!resource) return { kind: 'absent' };
  const complete = kernel[0] < 9 ? await withVolumeRoles(host, resource) : resource;
  return { kind: 'configured', resource: complete, kernel } satisfies Configured;
}

/** 8.4's events2 tells one role per resource although each volume has its own. */
async function withVolumeRoles(host: Host, resource: Resource): Promise<Resource> {
  if (resource.devices.length < 2) return resource;
  const minors = parseProcDrbd(await host.sys.read('/proc/drbd').catch(() => ''));
  const devices = resource.devices.map((device) => {
    const role = minors.find(({ minor }) => minor === device.minor)?.role;
    return role === undefined ? device : { ...device, role };
  });
  return { ...resource, devices };
}

/** What configured DRBD cannot do without is a block device. */
async function withoutTools(host: Host, why: string): Promise<DrbdState> {
  const disks = await host.sys.list('/sys/block').catch(() => undefined);
  return disks && !disks.some((disk) => disk.startsWith('drbd'))
    ? { kind: 'absent' }
    : { kind: 'unknown', why };
}

const exists = (host: Host, path: string): Promise<boolean> =>
  host.sys.facts(path).then(
    () => true,
    () => false,
  );
