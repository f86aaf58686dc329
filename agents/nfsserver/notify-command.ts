import { Failure } from '../../lib/contract/outcome.ts';
import type { Ctx } from './params.ts';

const known = ['sm-notify', 'rpc.statd'];

/** What is wrong with the name, as far as it can be told without looking: a bare name is looked for where the server starts. */
export const wrongNotifyCommand = (command: string | undefined): readonly string[] =>
  command === undefined || !command.includes('/') || isKnown(command)
    ? []
    : [`nfs_notify_cmd="${command}" is neither sm-notify nor rpc.statd`];

const isKnown = (command: string): boolean => known.includes(command.slice(command.lastIndexOf('/') + 1));

/** The stock agent checks the command, and does not use it either. */
export async function checkNotifyCommand({ host, params }: Pick<Ctx, 'host' | 'params'>): Promise<void> {
  const { nfs_notify_cmd: command } = params;
  if (command === undefined) return;
  if (!(await host.sys.has(command)))
    throw new Failure('notInstalled', `nfs_notify_cmd ${command} is not installed`);
  if (!isKnown(command))
    throw new Failure('misconfigured', `nfs_notify_cmd="${command}" is neither sm-notify nor rpc.statd`);
}
