import { drbd } from '../agents/drbd/agent.ts';
import { exportfs } from '../agents/exportfs/agent.ts';
import { filesystem } from '../agents/Filesystem/agent.ts';
import { ipaddr2 } from '../agents/IPaddr2/agent.ts';
import { nfsnotify } from '../agents/nfsnotify/agent.ts';
import { nfsserver } from '../agents/nfsserver/agent.ts';
import type { ParamTable } from '../lib/contract/params.ts';
import type { AgentDef } from '../lib/ocf/agent.ts';
import drbdEn from './en/drbd.ts';
import exportfsEn from './en/exportfs.ts';
import filesystemEn from './en/Filesystem.ts';
import ipaddr2En from './en/IPaddr2.ts';
import nfsnotifyEn from './en/nfsnotify.ts';
import nfsserverEn from './en/nfsserver.ts';
import type { Languages } from './xml.ts';
import drbdZh from './zh-CN/drbd.ts';
import exportfsZh from './zh-CN/exportfs.ts';
import filesystemZh from './zh-CN/Filesystem.ts';
import ipaddr2Zh from './zh-CN/IPaddr2.ts';
import nfsnotifyZh from './zh-CN/nfsnotify.ts';
import nfsserverZh from './zh-CN/nfsserver.ts';

/** An agent and its prose, for whoever speaks of all of them. */
export type Described = {
  readonly agent: AgentDef<ParamTable>;
  readonly prose: Languages<ParamTable>;
};

/** Here prose and parameters are known to fit each other; from here on only their names matter. */
const described = <T extends ParamTable>(agent: AgentDef<T>, prose: Languages<NoInfer<T>>): Described =>
  ({ agent, prose }) as unknown as Described;

/** Every agent, in the order in which a cluster starts them. */
export const catalogue: readonly Described[] = [
  described(drbd, { en: drbdEn, 'zh-CN': drbdZh }),
  described(filesystem, { en: filesystemEn, 'zh-CN': filesystemZh }),
  described(nfsserver, { en: nfsserverEn, 'zh-CN': nfsserverZh }),
  described(exportfs, { en: exportfsEn, 'zh-CN': exportfsZh }),
  described(nfsnotify, { en: nfsnotifyEn, 'zh-CN': nfsnotifyZh }),
  described(ipaddr2, { en: ipaddr2En, 'zh-CN': ipaddr2Zh }),
];
