import { readBoolean } from '../../lib/contract/params.ts';
import { stateRoot } from '../../lib/host/nfs/state-directory.ts';
import { tidyPath } from '../../lib/host/storage/mounts.ts';
import { type NfsdKeys, readNfsdArgs } from './nfsd-args.ts';
import type { Ctx } from './params.ts';

/** What the parameters ask for, before anybody has looked at the machine. */
export type Wanted = {
  /** nfs_shared_infodir, if it is to be mounted over the state directory: a failover filesystem may be mounted right there. */
  readonly infodir: string | undefined;
  /** Where rpc_pipefs is to be mounted. */
  readonly pipefs: string;
  /** nfsd_args in nfs.conf's words; none where they cannot be read, which a start refuses. */
  readonly nfsd: NfsdKeys;
  /** Whether to serve NFSv3; `undefined` leaves it to nfs.conf. */
  readonly v3: boolean | undefined;
};

export function wanted({ params }: Pick<Ctx, 'params'>): Wanted {
  const infodir = params.nfs_shared_infodir && tidyPath(params.nfs_shared_infodir);
  const args = readNfsdArgs(params.nfsd_args);
  const nfsd = typeof args === 'string' ? {} : args;
  return {
    infodir: infodir === stateRoot ? undefined : infodir,
    pipefs: tidyPath(params.rpcpipefs_dir),
    nfsd,
    v3: params.nfsv4_only ? false : readBoolean(nfsd['vers3'] ?? ''),
  };
}

/** A server scope that the kernel takes as a node name and that needs no quoting anywhere. */
export const validScope = /^[A-Za-z0-9._:-]{1,64}$/;
