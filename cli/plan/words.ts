import type { Language } from '../output/terminal.ts';

/** Why each part is there, and what stands between the parts. */
const english = {
  drbd: 'the data on both disks; two monitors, because a promotable resource is only watched in the roles that have one, with intervals that differ, because Pacemaker takes two of the same for one',
  clone:
    'on both nodes, promoted on one; notify=true, because DRBD has to hear what becomes of the other side',
  filesystem: 'mounted where DRBD is Primary',
  state: "the server's state, on a filesystem of its own that no client reaches",
  server: 'its state is on the replicated disk, so that clients find their locks again',
  export: 'before the address: a client never meets a server that does not export',
  address: 'after the exports: until it is up nobody answers, and clients wait instead of getting errors',
  notify: 'last: clients are told, once the address is there, to claim their locks',
  group:
    'one after the other, all on one node; it stays where it is, and leaves a node where it failed three times',
  colocation: 'only where DRBD is Primary: a Secondary cannot be mounted',
  order: 'and only once DRBD has become Primary there',
  alert:
    'writes down what happens, for tsha history and tsha report; a recipient, root or an address, gets a mail of what went wrong',
  title: '{name}: what makes it, by {tool}. Read it, change it, run it.',
  bothNodes: 'On both nodes',
  here: 'Here',
  once: 'Once, on one of the nodes, when DRBD is in sync and the directories exist',
  drbdFile: "DRBD's resource; a disk with data on it must not be given",
  drbdFound: 'for DRBD {version}, which this node has',
  drbdGuessed:
    'for DRBD 8.4, which kernels bring along: this node has none. DRBD 9 wants other settings: run tsha plan on a node that has it',
  nfsFile: 'what the NFS server reads of its own',
  directories: 'in the filesystem, while it is mounted',
  stateShared:
    'The state of the server shares the filesystem with what is exported: a client that makes up a file handle reaches it (docs/security.md). A section "state" gives it a filesystem of its own: tsha init --state-disk',
  corosync: 'corosync.conf of a cluster of two: two_node, which brings wait_for_all along',
  fencing: 'Fencing: secrets are not in the file of tsha; add password_script=… or what your device takes',
  noFencing:
    'No fencing is configured: two nodes that cannot see each other both want the disk, and only fencing decides safely. Pacemaker starts nothing without a device unless stonith-enabled=false',
  oneTransaction: 'All of it at once: nothing starts before it knows where it belongs',
  untilOneFails: 'The first of these that fails ends it, and the cluster is given nothing',
};

export type Reason =
  | 'drbd'
  | 'clone'
  | 'filesystem'
  | 'state'
  | 'server'
  | 'export'
  | 'address'
  | 'notify'
  | 'group'
  | 'colocation'
  | 'order'
  | 'alert';

export type PlanWords = typeof english;

const chinese: PlanWords = {
  drbd: '两块磁盘上的数据；两个 monitor，因为可提升资源只在有 monitor 的角色下被监视；间隔不同，因为 Pacemaker 会把间隔相同的两个当成一个',
  clone: '两个节点上都有，在一个节点上提升；notify=true，因为 DRBD 需要知道对方的变化',
  filesystem: '挂载在 DRBD 为 Primary 的节点',
  state: '服务器的状态放在它自己的文件系统上，客户端到不了那里',
  server: '状态保存在复制的磁盘上，客户端可以找回锁',
  export: '在地址之前：客户端不会遇到没有导出的服务器',
  address: '在导出之后：地址就绪前没有人应答，客户端只会等待而不会出错',
  notify: '最后：地址就绪后通知客户端取回锁',
  group: '依次启动，都在同一节点；留在原处，在某节点失败三次后离开',
  colocation: '只在 DRBD 为 Primary 的节点：Secondary 不能挂载',
  order: '并且只在 DRBD 成为 Primary 之后',
  alert:
    '记录发生的事，供 tsha history 和 tsha report 使用；加上 recipient（root 或邮箱地址），出错时会收到邮件',
  title: '{name}：用 {tool} 建立。请阅读、修改、运行。',
  bothNodes: '在两个节点上',
  here: '本节点',
  once: '只在其中一个节点上运行一次，此时 DRBD 已同步、目录已存在',
  drbdFile: 'DRBD 资源；不要给它有数据的磁盘',
  drbdFound: '按 DRBD {version} 写成，即本节点所装的',
  drbdGuessed:
    '按内核自带的 DRBD 8.4 写成：本节点没有 DRBD。DRBD 9 的设置不同：请在装有它的节点上运行 tsha plan',
  nfsFile: 'NFS 服务器自己读取的设置',
  directories: '在文件系统挂载时，于其中创建',
  stateShared:
    '服务器的状态与导出在同一个文件系统上：伪造文件句柄的客户端可以到达它（docs/security.md）。“state”一节给它自己的文件系统：tsha init --state-disk',
  corosync: '两个节点的 corosync.conf：two_node，它自带 wait_for_all',
  fencing: '隔离：tsha 的文件里没有机密；请加上 password_script=… 或设备需要的参数',
  noFencing:
    '没有配置隔离：互相看不见的两个节点都想要磁盘，只有隔离能安全地裁决。没有设备时，除非 stonith-enabled=false，Pacemaker 不启动任何资源',
  oneTransaction: '一次全部提交：任何资源在知道自己该在哪里之前都不会启动',
  untilOneFails: '其中第一个失败的命令会使其结束，集群不会得到任何改动',
};

export const planWords = (language: Language): PlanWords => (language === 'zh' ? chinese : english);
