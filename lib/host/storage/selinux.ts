import type { Log } from '../../contract/log.ts';
import { commandLine, firstLine, type Host } from '../host.ts';
import type { Argv } from '../sys/sys.ts';

/** Whether files here have labels: a kernel may have SELinux built in where nobody uses it. */
export async function usesLabels(host: Host): Promise<boolean> {
  const isOn = await host.sys.facts('/sys/fs/selinux/enforce').then(
    () => true,
    () => false,
  );
  return isOn && (await host.sys.has('restorecon'));
}

/** A wrong label may keep a daemon from its files, and then it says so itself; it is no reason to give up before. */
export async function label(host: Host, log: Log, argv: Argv): Promise<void> {
  const { code, stderr, hung } = await host.tryRun(argv);
  if (code !== 0) log.warn(`${commandLine(argv)}: ${hung ?? (firstLine(stderr) || `exit ${code}`)}`);
}
