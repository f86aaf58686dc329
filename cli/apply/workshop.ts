import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Failure } from '../../lib/contract/outcome.ts';
import { commandFailure, type Host } from '../../lib/host/host.ts';
import type { Argv } from '../../lib/host/sys/sys.ts';
import type { Call } from '../command.ts';
import { attribute, below, type Element, isTrue, parseXml, within } from '../facts/xml.ts';
import { xmlLines } from '../plan/xml.ts';

// Pacemaker's own tools, on drafts of the CIB in a folder that only root can read. None of these changes the cluster but `push`.

/** A folder for drafts, which ends with the work. */
export async function withDrafts<T>(call: Call, work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'tsha-apply-'));
  const remove = async () => rmSync(folder, { recursive: true, force: true });
  call.onInterrupt(remove);
  try {
    return await work(folder);
  } finally {
    await remove();
  }
}

export const textOf = (cib: Element): string => `${xmlLines(cib).join('\n')}\n`;

/** Changes of the configuration are counted here, those of the status section are not. */
export const versionOf = (cib: Element): string =>
  `${attribute(cib, 'admin_epoch')}.${attribute(cib, 'epoch')}`;

/** The next version of a CIB: Pacemaker takes a patch only when it leads forward. */
const counted = (cib: Element): Element => ({
  ...cib,
  attributes: { ...cib.attributes, epoch: String(Number(attribute(cib, 'epoch')) + 1), num_updates: '0' },
});

export function write(folder: string, name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

/**
 * What crm_verify has against a draft; none where it takes it. It is not shown what runs: a resource that runs and is to go would be a
 * warning, which ends it with 78.
 */
export async function complaints(host: Host, folder: string, draft: Element): Promise<readonly string[]> {
  const children = draft.children.filter(({ name }) => name !== 'status');
  const status: Element = { name: 'status', attributes: {}, children: [] };
  const file = write(folder, 'verified.xml', textOf({ ...draft, children: [...children, status] }));
  const answer = await host.tryRun(['crm_verify', '--xml-file', file, '-V'], { timeoutMs: 30_000 });
  if (answer.code === 0) return [];
  if (answer.missing || answer.hung) throw commandFailure(['crm_verify'], answer);
  const lines = `${answer.stdout}\n${answer.stderr}`.split('\n').filter((line) => /error:/.test(line));
  return lines.length > 0
    ? lines.map((line) => line.replace(/^.*?error:\s*/, '').trim())
    : [`crm_verify: exit ${answer.code}`];
}

/** What Pacemaker would do, in its own word: `start`, `stop`, `restart`, `move`, `promote`, `demote`… */
export type Action = {
  readonly action: string;
  readonly resource: string;
  readonly node: string;
  readonly reason: string;
  /** By what is not managed, or has failed for good. */
  readonly isBlocked: boolean;
};

/** Plays a draft through. Exports that are served before the cluster hears of them are found running by its first look. */
export async function simulated(
  host: Host,
  folder: string,
  file: string,
  servedAhead: readonly { readonly id: string; readonly node: string }[] = [],
): Promise<readonly Action[]> {
  let draft = file;
  // the simulation ends with the first answer that was made up, so each takes one
  for (const [index, { id, node }] of servedAhead.entries()) {
    const after = join(folder, `ahead-${index}.xml`);
    const argv: Argv = [
      'crm_simulate',
      '--xml-file',
      draft,
      '--simulate',
      `--op-fail=${id}_monitor_0@${node}=0`,
      `--save-output=${after}`,
      '--quiet',
    ];
    const answer = await host.tryRun(argv, { timeoutMs: 30_000 });
    if (!existsSync(after)) throw commandFailure(argv, answer);
    draft = after;
  }
  // the plan alone: played to its end, one that something blocks is an error
  const argv: Argv = ['crm_simulate', '--xml-file', draft, '--run', '--output-as=xml'];
  const answer = await host.tryRun(argv, { timeoutMs: 30_000 });
  if (answer.code !== 0) throw commandFailure(argv, answer);
  return below(parseXml(answer.stdout), 'actions', 'rsc_action').map((one) => ({
    action: attribute(one, 'action'),
    resource: attribute(one, 'resource').replace(/:\d+$/, ''),
    node: attribute(one, 'node') || attribute(one, 'source'),
    reason: attribute(one, 'reason'),
    isBlocked: isTrue(one, 'blocked'),
  }));
}

/** The difference of two drafts as `cibadmin --patch` takes it, bound to the version of the first. */
async function difference(host: Host, before: string, after: string): Promise<string> {
  const argv: Argv = ['crm_diff', '--original', before, '--new', after];
  const answer = await host.tryRun(argv, { timeoutMs: 30_000 });
  // 1: they differ
  if (answer.code !== 0 && answer.code !== 1) throw commandFailure(argv, answer);
  return answer.stdout;
}

/**
 * Every place that a difference touches lies in what is ours: the resources, constraints, alerts and properties of these ids. Throws `Failure`
 * otherwise, which would be a defect of tsha.
 */
export function requireOnlyOwn(
  diff: string,
  own: readonly string[],
  properties: readonly string[] = [],
): void {
  for (const change of within(parseXml(diff), 'change')) {
    const path = attribute(change, 'path');
    if (path === '/cib' && attribute(change, 'operation') === 'modify') {
      const names = within(change, 'change-attr').map((one) => attribute(one, 'name'));
      if (names.every((name) => ['epoch', 'num_updates', 'admin_epoch'].includes(name))) continue;
    }
    if (isOwnProperty(change, path, properties)) continue;
    const whole = change.children.filter(({ name }) => name === 'alerts');
    if (path === '/cib/configuration' && attribute(change, 'operation') === 'create' && whole.length === 1) {
      if (whole[0]?.children.every((one) => own.includes(attribute(one, 'id')))) continue;
    }
    const [, section, rest = ''] =
      /^\/cib\/configuration\/(resources|constraints|alerts)(\/.*)?$/.exec(path) ?? [];
    const top = /^\/\w+\[@id='([^']+)'\]/.exec(rest)?.[1];
    const created = change.children.map((child) => attribute(child, 'id')).filter(Boolean);
    const member = /\/primitive\[@id='([^']+)'\]/.exec(rest)?.[1];
    const isForeign =
      member !== undefined && !own.includes(member) && attribute(change, 'operation') !== 'move';
    const isOwn = isForeign
      ? false
      : top !== undefined
        ? own.includes(top)
        : attribute(change, 'operation') === 'create' && created.every((id) => own.includes(id));
    if (section === undefined || !isOwn)
      throw new Failure(
        'failed',
        `the difference touches ${path}, which is not of this pair; nothing has been changed`,
      );
  }
}

/** Entries of the cluster's properties, by their own ids; their set may have been made for them. */
function isOwnProperty(change: Element, path: string, own: readonly string[]): boolean {
  if (!/^\/cib\/configuration\/crm_config(\/|$)/.test(path)) return false;
  const [, entry] = /\/nvpair\[@id='([^']+)'\]$/.exec(path) ?? [];
  const created = within(change, 'nvpair').map((one) => attribute(one, 'id'));
  if (entry !== undefined) return own.includes(entry);
  const isCreated = attribute(change, 'operation') === 'create' && created.length > 0;
  return isCreated && created.every((id) => own.includes(id));
}

/** The file of a patch from a CIB to the next one, which touches nothing but what is ours. */
export async function patchFor(
  host: Host,
  folder: string,
  cib: Element,
  next: Element,
  own: readonly string[],
  properties: readonly string[] = [],
): Promise<string> {
  const before = write(folder, 'old.xml', textOf(cib));
  const diff = await difference(host, before, write(folder, 'new.xml', textOf(counted(next))));
  requireOnlyOwn(diff, own, properties);
  return write(folder, 'patch.xml', diff);
}

/**
 * `taken`: it is the configuration now. `older`: somebody was faster. `unanswered`: it may be taken, now or later; a patch is bound to the
 * version that it was made of, so that whoever reads the configuration again and makes another one does no harm.
 */
export async function push(host: Host, patch: string): Promise<'taken' | 'older' | 'unanswered'> {
  const argv: Argv = ['cibadmin', '--patch', '--xml-file', patch];
  const answer = await host.tryRun(argv, { timeoutMs: 30_000 });
  if (answer.code === 0) return 'taken';
  // CRM_EX_OLD
  if (answer.code === 103) return 'older';
  // CRM_EX_TIMEOUT
  if (answer.hung || answer.code === 124) return 'unanswered';
  throw commandFailure(argv, answer);
}

/** Waits until Pacemaker has done what it has to do, which it reckons from the configuration itself; whether that is so. */
export async function settle(host: Host, withinMs = 60_000): Promise<boolean> {
  const seconds = Math.max(1, Math.ceil(withinMs / 1000));
  const argv: Argv = ['crm_resource', '--wait', `--timeout=${seconds}`];
  return (await host.tryRun(argv, { timeoutMs: 1000 * (seconds + 10) })).code === 0;
}
