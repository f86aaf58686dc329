import { Failure } from '../contract/outcome.ts';
import type { Host } from './host.ts';
import { factsIfThere, isThere, kindIfThere, readIfThere, targetIfThere } from './local-files.ts';
import type { Output } from './sys/sys.ts';

/** What systemd says about one unit. */
export type Unit = {
  /** Its real name: an alias is resolved. */
  readonly id: string;
  readonly active: 'active' | 'inactive' | 'failed' | 'activating' | 'deactivating' | (string & {});
  /** How the last run ended, e.g. `success`, `exit-code`, `timeout`, `start-limit-hit`. */
  readonly result: string;
  /** Exit status of its main process. */
  readonly status: string;
  /** The unit file and its drop-ins, in the order in which systemd read them. */
  readonly files: readonly string[];
  /** A file changed since systemd read it. */
  readonly stale: boolean;
};

/** sd_booted(3): systemd is the init system of this machine, whatever is installed. */
export const hasSystemd = async (host: Host): Promise<boolean> =>
  (await kindIfThere(host, '/run/systemd/system')) === 'directory';

/** Asks about all units in one call. Throws `Failure` when systemd does not answer. */
export async function unitsOf(host: Host, names: readonly string[]): Promise<readonly Unit[]> {
  const properties = 'Id,ActiveState,Result,ExecMainStatus,FragmentPath,DropInPaths,NeedDaemonReload';
  return parseUnits(await host.run(['systemctl', 'show', '--no-pager', '-p', properties, ...names]));
}

/**
 * `systemctl show`: one block of `Name=value` lines per unit, in the order asked, with an empty line between.
 *
 *     Id=nfs-server.service
 *     ActiveState=failed
 *     Result=exit-code
 *     ExecMainStatus=1
 *     FragmentPath=/lib/systemd/system/nfs-server.service
 *     DropInPaths=/run/systemd/system/nfs-server.service.d/zzzz-tsha-scope.conf
 *     NeedDaemonReload=no
 */
export function parseUnits(text: string): readonly Unit[] {
  return text
    .split(/\n{2,}/)
    .filter((block) => block.trim())
    .map((block) => {
      const values = new Map(
        block
          .trim()
          .split('\n')
          .map((line) => {
            const at = line.indexOf('=');
            return [line.slice(0, at), line.slice(at + 1)] as const;
          }),
      );
      const value = (name: string) => values.get(name) ?? '';
      return {
        id: value('Id'),
        active: value('ActiveState'),
        result: value('Result'),
        status: value('ExecMainStatus'),
        files: [value('FragmentPath'), ...value('DropInPaths').split(' ')].filter(Boolean),
        stale: value('NeedDaemonReload') === 'yes',
      };
    });
}

/** Whether what systemd would start now includes this drop-in as it is on disk. */
export const isInForce = ({ files, stale }: Unit, dropIn: string): boolean =>
  files.includes(dropIn) && !stale;

/** One call for all, so that systemd orders them; returns when the last one is up or one has failed. */
export const startUnits = (host: Host, names: readonly string[], timeoutMs: number): Promise<Output> =>
  host.tryRun(['systemctl', 'start', ...names], { timeoutMs });

/**
 * Stops exactly these, now. Without the mode a stop joins the job that a shutdown has queued for the unit already, and that one waits
 * for Pacemaker (shutdown-order.ts), which waits for the agent that called this.
 */
export const stopUnits = (host: Host, names: readonly string[], timeoutMs: number): Promise<Output> =>
  host.tryRun(['systemctl', 'stop', '--job-mode=ignore-dependencies', ...names], { timeoutMs });

/** systemd.unit(5), most important first. */
const unitDirs = [
  '/etc/systemd/system',
  '/run/systemd/system',
  '/usr/lib/systemd/system',
  '/lib/systemd/system',
];

/** Whether a unit file exists and is not masked, without asking systemd. */
export async function isInstalled(host: Host, unit: string): Promise<boolean> {
  for (const dir of unitDirs) {
    const file = `${dir}/${unit}`;
    const facts = await factsIfThere(host, file);
    if (facts === undefined) continue;
    if (facts.kind === 'link') return (await targetIfThere(host, file)) !== '/dev/null';
    return facts.size > 0; // an empty file masks, too
  }
  return false;
}

/** The service of the system that a process belongs to. */
export async function serviceOf(host: Host, pid: number): Promise<string | undefined> {
  const groups = await host.sys.read(`/proc/${pid}/cgroup`).catch(() => '');
  return /:\/system\.slice\/([^/\n]+\.service)$/m.exec(groups)?.[1];
}

/** Whether the unit is wanted by the target that a server boots to, without asking systemd. */
export const startsAtBoot = (host: Host, unit: string): Promise<boolean> =>
  isThere(host, `/etc/systemd/system/multi-user.target.wants/${unit}`);

/** Control groups: unified, hybrid and legacy hierarchies. */
const groupRoots = ['/sys/fs/cgroup', '/sys/fs/cgroup/unified', '/sys/fs/cgroup/systemd'];

/** The processes of a service of the system, read from its control group; none when it is not running. */
export async function unitProcesses(host: Host, unit: string): Promise<readonly number[]> {
  for (const root of groupRoots) {
    const text = await processesIn(host, `${root}/system.slice/${unit}/cgroup.procs`);
    if (text !== undefined) return text.split('\n').filter(Boolean).map(Number);
  }
  return [];
}

/** ENODEV while the group is being removed: nothing runs in it either. */
async function processesIn(host: Host, file: string): Promise<string | undefined> {
  try {
    return await readIfThere(host, file);
  } catch (error) {
    if (error instanceof Failure && (error.cause as NodeJS.ErrnoException).code === 'ENODEV')
      return undefined;
    throw error;
  }
}
