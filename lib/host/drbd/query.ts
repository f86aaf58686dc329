import { Failure } from '../../contract/outcome.ts';
import { commandLine, firstLine, type Host } from '../host.ts';
import { isThere, readIfThere } from '../local-files.ts';
import type { Argv } from '../sys/sys.ts';
import { parseProcDrbd, parseShStatus, resourceInProc } from './drbd84.ts';
import { type Dump, parseEvents2 } from './events2.ts';
import { type Configured, type DrbdState, isResourceName, type Resource } from './state.ts';
import { procVersion, type Version } from './version.ts';
import { roleOf } from './words.ts';

/**
 * Asks the kernel about one resource, each query for at most so long: 8.4 without any command where it can be, else with one where all is
 * well. `events2` comes first on both generations: the same grammar, exit 0 for a resource that does not exist, and an end mark that tells a
 * complete answer from half of one. Nothing is asked without the module, because every drbdsetup call would load it.
 */
export async function drbdState(host: Host, name: string, withinMs?: number): Promise<DrbdState> {
  if (!isResourceName(name)) return { is: 'absent' };
  try {
    return await stateOf(host, name, withinMs);
  } catch (error) {
    if (error instanceof Failure) return { is: 'unknown', why: error.message };
    throw error;
  }
}

async function stateOf(host: Host, name: string, withinMs?: number): Promise<DrbdState> {
  const proc = await readIfThere(host, '/proc/drbd');
  if (proc === undefined && !(await isThere(host, '/sys/module/drbd'))) return { is: 'absent-module' };
  const kernel = procVersion(proc ?? '') ?? newest;

  const seen = kernel[0] < 9 ? await resourceInProc(host, name, proc ?? '') : undefined;
  if (seen) return { is: 'configured', resource: seen, kernel };
  const first = await ask(
    host,
    ['drbdsetup', 'events2', '--now', name],
    (text) => parseEvents2(text, name),
    withinMs,
  );
  if ('dump' in first) return toState(host, first.dump, kernel);
  if (first.final)
    return first.toolMissing ? withoutTools(host, first.why) : { is: 'unknown', why: first.why };
  const second =
    kernel[0] >= 9
      ? await askJson(host, name, withinMs)
      : await ask(host, ['drbdsetup', 'sh-status', name], (text) => parseShStatus(text, name), withinMs);
  return 'dump' in second ? toState(host, second.dump, kernel) : { is: 'unknown', why: first.why };
}

export type KnownState = Exclude<DrbdState, { readonly is: 'unknown' }>;

/** The state, asked for again and again when the kernel cannot be asked; throws `Failure` when it stays unknown. */
export async function knownState(host: Host, name: string, patienceMs: number): Promise<KnownState> {
  let state: DrbdState = { is: 'unknown', why: 'no time left to ask' };
  await host.until(async () => {
    state = await drbdState(host, name, patienceMs);
    return state.is !== 'unknown';
  }, patienceMs);
  return certain(name, state);
}

function certain(name: string, state: DrbdState): KnownState {
  if (state.is !== 'unknown') return state;
  throw new Failure('failed', `the state of DRBD resource ${name} is unknown: ${state.why}`);
}

/** A module that does not tell its version is newer than this code: DRBD 8 always did. */
const newest: Version = [9, 0, 0];

/** A query that hangs leaves some of the time for telling so, or for asking anew. */
const mostOfIt = 0.75;

export type Answer<T> =
  | { readonly dump: T }
  /** `final`: asking in another way cannot help. */
  | { readonly why: string; readonly final: boolean; readonly toolMissing: boolean };

async function askJson(host: Host, name: string, withinMs?: number): Promise<Answer<Dump>> {
  const { knownToLack, parseStatusJson } = await import('./status-json.ts');
  const lacks = await knownToLack(host, name);
  return ask(
    host,
    ['drbdsetup', 'status', name, '--json'],
    (text) => parseStatusJson(text, name, lacks),
    withinMs,
  );
}

/** What a command says; its own words when it fails or says nothing that `parse` can make anything of. */
export async function ask<T>(
  host: Host,
  argv: Argv,
  parse: (text: string) => T | undefined,
  withinMs = Number.POSITIVE_INFINITY,
): Promise<Answer<T>> {
  const output = await host.tryRun(argv, { timeoutMs: Math.min(host.left() * mostOfIt, withinMs) });
  const command = commandLine(argv);
  if (output.missing) return { why: 'drbdsetup is not installed', final: true, toolMissing: true };
  if (output.hung) return { why: `"${command}" hung (${output.hung})`, final: true, toolMissing: false };
  const dump = output.code === 0 ? parse(output.stdout) : undefined;
  if (dump) return { dump };
  const said = firstLine(output.stderr) || (output.code === 0 ? 'incomplete output' : `exit ${output.code}`);
  return { why: `${command}: ${said}`, final: false, toolMissing: false };
}

async function toState(host: Host, { resource }: Dump, kernel: Version): Promise<DrbdState> {
  if (!resource) return { is: 'absent' };
  const complete = kernel[0] < 9 ? await withVolumeRoles(host, resource) : resource;
  return { is: 'configured', resource: complete, kernel } satisfies Configured;
}

/** 8.4's events2 tells one role per resource although each volume has its own. */
async function withVolumeRoles(host: Host, resource: Resource): Promise<Resource> {
  if (resource.devices.length < 2) return resource;
  const minors = parseProcDrbd((await readIfThere(host, '/proc/drbd')) ?? '');
  const devices = resource.devices.map((device) => {
    const role = roleOf(minors.find(({ minor }) => minor === device.minor)?.role);
    return role === undefined ? device : { ...device, role };
  });
  return { ...resource, devices };
}

/** What configured DRBD cannot do without is a block device. */
async function withoutTools(host: Host, why: string): Promise<DrbdState> {
  const disks = await host.sys.list('/sys/block').catch(() => undefined);
  return disks && !disks.some((disk) => disk.startsWith('drbd')) ? { is: 'absent' } : { is: 'unknown', why };
}
