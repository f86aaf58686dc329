import type { Log } from '../../lib/contract/log.ts';
import type { Host } from '../../lib/host/host.ts';
import { isThere, kindIfThere, readIfThere } from '../../lib/host/local-files.ts';
import { label, usesLabels } from '../../lib/host/storage/selinux.ts';

// Red Hat's systems before nfs.conf read their arguments from /etc/sysconfig/nfs: one file, which is the administrator's. His is
// moved aside once, and comes back as it was when the server stops.

const folder = '/etc/sysconfig';
const file = `${folder}/nfs`;
/** As the stock agent has it: one that is there is the administrator's, whoever moved it. */
const backup = `${file}.ha.bu`;
const tag = '# Written by tsha:nfsserver; yours is nfs.ha.bu and comes back when the resource stops.';

/** Shell variables and their values. */
export type Variables = { readonly [name: string]: string };

/** Whether this system has the folder at all. */
export async function writeSysconfig(host: Host, log: Log, wanted: Variables): Promise<boolean> {
  if ((await kindIfThere(host, folder, 'follow')) !== 'directory') return false;
  const [current, kept] = [await readIfThere(host, file), await readIfThere(host, backup)];
  const isOurs = current?.startsWith(tag) ?? false;
  if (kept === undefined && current !== undefined && !isOurs)
    await host.run(['cp', '-p', '--', file, backup]);
  const original = kept ?? (isOurs ? '' : (current ?? ''));
  await host.sys.write(file, withVariables(original, wanted));
  if (await usesLabels(host)) await label(host, log, ['restorecon', '--', file]);
  return true;
}

/** The administrator's text with these variables, each in the place of its own line or at the end. */
export function withVariables(original: string, wanted: Variables): string {
  const isReplaced = (line: string) =>
    Object.keys(wanted).some((name) => new RegExp(`^\\s*(export\\s+)?${name}=`).test(line));
  const rest = original.split('\n').filter((line) => !isReplaced(line));
  if (rest.at(-1) === '') rest.pop();
  const lines = Object.entries(wanted).map(([name, value]) => `${name}="${value}"`);
  return [tag, ...rest, ...lines, ''].join('\n');
}

/** Puts the administrator's file back, if what lies there is ours. */
export async function restoreSysconfig(host: Host, log: Log): Promise<void> {
  const current = (await readIfThere(host, file)) ?? '';
  if (!current.startsWith(tag)) return;
  if (!(await isThere(host, backup))) return host.sys.remove(file);
  const { code, stderr, hung } = await host.tryRun(['mv', '-fT', '--', backup, file]);
  if (code !== 0) log.warn(`${backup} cannot be put back: ${hung ?? stderr.trim()}`);
}
