import type { params } from '../../agents/nfsnotify/params.ts';
import type { EnglishProse } from '../../lib/ocf/agent.ts';
import { traceProse } from './trace.ts';

export default {
  long: `
Tells every NFSv3 client that held a lock on the server before a failover (SM_NOTIFY) that it may claim its locks again. It belongs at
the very end of the group, after the exports and the address, with nfs_no_notify=true on the nfsserver resource: clients that are told
earlier cannot claim anything yet, and their locks are lost.

The notifications are sent by the agent itself, from the address that clients mount from: that is what they recognise the server by. No
sm-notify, no host name for the address and no name service is needed. Clients that do not answer at once are told again in the background
for 15 minutes. "Running" means that the clients were told since the current rpc.statd came up; while none runs beside the NFS server, the
nfsserver resource is the one that fails. On a server for NFSv4 only there is nothing to do, and start says so.

Start also makes the clients of the old server connect anew at once, whatever NFS version they speak: TCP alone would let them find out up
to twice as late (the tickle of CTDB and portblock, sent with resource-agents' tickle_tcp). The monitor keeps the list of connected clients
in /var/lib/nfs/tsha-connections, which moves with the NFS server.`,
  params: {
    source_host: `
Comma separated addresses or host names that clients mount from, usually the address of the group. A name stands for all of its addresses
that are on this machine. Each must be there when the resource starts, of a name at least one, else start fails and says which is not. When
unset, the kernel chooses the address, which clients of a floating address do not recognise.`,
    notify_args: `
Options in the words of sm-notify(8): -d lets start wait until every client has confirmed, -n keeps the state number (clients that know it
already do nothing), -m MINUTES limits the repetition (15 by default, 0 is for ever), -p PORT sets the source port (a free one below 1024 by
default). Others are refused.`,
    ...traceProse,
  },
} satisfies EnglishProse<typeof params>;
