import type { Params } from '../../lib/ocf/params.ts';
import type { Request } from '../../lib/ocf/request.ts';
import type { params as table } from './params.ts';
import { validScope } from './scope.ts';

/** Parameters of Red Hat's init scripts that have no effect here yet: nfs.conf has a setting for each. */
const unsupported = {
  nfsd_args: '[nfsd]',
  lockd_udp_port: '[lockd] udp-port',
  lockd_tcp_port: '[lockd] port',
  statd_port: '[statd] port',
  mountd_port: '[mountd] port',
  rquotad_port: 'none',
} as const;

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
  for (const [name, setting] of Object.entries(unsupported))
    if (params[name as keyof typeof unsupported] !== undefined)
      wrong.push(
        `${name} is not supported yet${setting === 'none' ? '' : `: set ${setting} in /etc/nfs.conf on every node`}`,
      );
  return wrong;
}
