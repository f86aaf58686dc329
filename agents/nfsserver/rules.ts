import type { Params } from '../../lib/contract/params.ts';
import type { Request } from '../../lib/contract/request.ts';
import { readNfsdArgs } from './nfsd-args.ts';
import type { params as table } from './params.ts';
import { validScope } from './wanted.ts';

export function rules(params: Params<typeof table>, request: Request): readonly string[] {
  const wrong: string[] = [];
  const isClone = request.meta('clone') !== undefined;
  if (isClone && params.nfs_shared_infodir)
    wrong.push('a clone cannot share nfs_shared_infodir: only one node may use it at a time');
  for (const name of ['nfs_shared_infodir', 'rpcpipefs_dir'] as const)
    if (params[name] !== undefined && !params[name].startsWith('/'))
      wrong.push(`${name}="${params[name]}" is not an absolute path`);
  if (params.nfs_server_scope !== undefined && !validScope.test(params.nfs_server_scope))
    wrong.push(`nfs_server_scope="${params.nfs_server_scope}" must be 1 to 64 of A-Z a-z 0-9 . _ : -`);
  const args = readNfsdArgs(params.nfsd_args);
  if (typeof args === 'string') wrong.push(args);
  const { nfs_lease_time: lease, nfs_grace_time: grace } = params;
  if (lease !== undefined && grace !== undefined && grace < lease)
    wrong.push(
      `nfs_grace_time=${grace} is shorter than nfs_lease_time=${lease}: idle clients would lose their locks`,
    );
  // a bare name is looked for where the server starts
  const command = params.nfs_notify_cmd;
  if (command?.includes('/') && !isNotifyCommand(command))
    wrong.push(`nfs_notify_cmd="${command}" is neither sm-notify nor rpc.statd`);
  return wrong;
}

/** As a path or a bare name. */
export const isNotifyCommand = (command: string): boolean =>
  ['sm-notify', 'rpc.statd'].includes(command.slice(command.lastIndexOf('/') + 1));
