import type { Code } from './catalogue.ts';
import type { Translation } from './finding.ts';

/** The catalogue's sentences in Chinese; the names between braces are the same. */
export const chinese: { readonly [C in Code]: Translation } = {
  NOT_SERVING: {
    what: '没有节点提供 {service}：{resource} 的状态是 {state}',
    why: '客户端在等待：hard 方式的 NFS 挂载会一直阻塞到服务恢复，不会丢数据。Pacemaker 没有可运行的节点，或正在切换。',
  },
  NO_QUORUM: {
    what: '集群的这一部分没有仲裁（quorum）（no-quorum-policy：{policy}）',
    why: '没有人知道另一部分是否还在写。按照策略，Pacemaker 在这里停止一切资源（stop，默认值）、不再启动任何资源（freeze）、先降级（demote）、隔离节点（suicide、fence），或者若无其事地继续（ignore），后者会导致脑裂。两节点集群需要 corosync.conf 中的 "two_node: 1"；wait_for_all 要求第一次启动时两个节点都在。',
  },
  NO_DC: {
    what: '集群没有 DC：没有人决定什么在哪里运行',
    why: '节点会在几秒之内选出一个，每次有节点离开后也是如此。没有 DC 时不会启动、停止或接管任何资源；如果一直没有，说明各控制器互相联系不上。',
  },
  CLONE_DOWN: {
    what: '没有节点运行 {clone} 的 {resource}：状态是 {role}',
    why: '没有人关闭这个克隆，却没有一个实例在运行。依赖它的资源也不能运行，或在没有它的情况下运行。',
  },
  RUNS_TWICE: {
    what: '{resource} 同时在多个节点上处于活动状态：{nodes}',
    why: '两个节点在写同一个文件系统，或用同一个地址应答。有人或某个程序在集群之外启动了它，或者某个节点没有被隔离就回来了。Pacemaker 会停止全部并启动一个（multiple-active），除非它不管理该资源。',
  },
  TICKET_ELSEWHERE: {
    what: '{service} 不在这里运行：本站点没有 ticket {ticket}',
    why: '在多站点集群中，只要另一站点持有它，就是正常的。是否有站点持有，只有 booth 或人知道。',
  },
  NODE_OFFLINE: {
    what: '{node} 不在集群中',
    why: '它已关机、挂起，或集群管理器没有运行。在它回来之前没有第二份数据，也没有可切换的去处。',
  },
  PRIMARY_UNSEEN: {
    what: '{peer} 是 {resource} 的 Primary，却不在集群中：它可能仍在为客户端服务',
    why: '它的集群管理器停止了、死掉了或挂起；节点本身没有，或几秒之前才死。在此期间 DRBD 不让别人成为 Primary，这里的提升只会白等。断开两者的连接或强制做任何事，都会造成脑裂。',
  },
  NODE_UNCLEAN: {
    what: '{node} 突然失联且尚未被隔离（fence）：Pacemaker 在接管之前等待',
    why: '它可能还在写。只有隔离设备，或亲眼看到它已断电的人，才能下结论。',
  },
  NODE_STANDBY: {
    what: '{node} 处于 standby：每一次写入都使它的数据副本更旧',
    why: 'standby 会停止该节点上的 DRBD。此时另一节点一旦故障，就没有节点提供服务。',
  },
  NODE_STANDBY_UNTIL_REBOOT: {
    what: '{node} 处于维护状态，直到下次启动：每一次写入都使它的数据副本更旧',
    why: '由 tsha maintenance 或 crm_standby --lifetime reboot 设置。集群管理器下次启动时自动结束。',
  },
  MAINTENANCE_MODE: {
    what: '{scope} 处于维护模式：Pacemaker 既不监视也不移动资源',
    why: '在维护模式结束之前，不会重启也不会接管。显示的其他内容可能已过时。',
  },
  NODE_MAINTENANCE: {
    what: '{node} 处于维护模式：Pacemaker 既不监视也不移动那里的资源',
    why: '只涉及这个节点（它的属性 maintenance）。在它结束之前，那里不会重启也不会接管。显示的有关它的其他内容可能已过时。',
  },
  RESOURCE_FAILED: {
    what: '{resource} 在 {node} 上于 {when} 失败：{action}：{reason}',
    why: '原因是代理自己的话。Pacemaker 已经处理过；记录会保留到有人清除，并计入 migration-threshold；一次启动失败就会使该节点被排除（BARRED_BY_FAILURES）。',
  },
  BARRED_BY_FAILURES: {
    what: '{resource} 不再允许在 {node} 上运行：它的 {action} 在那里失败过',
    why: '一次启动失败就会排除该节点（start-failure-is-fatal），其他失败达到 migration-threshold 时也会，直到有人清除。如果另一节点不在、处于待机或同样被排除，就没有人提供服务。',
  },
  RESOURCE_BLOCKED: {
    what: '{resource} 在 {node} 上被阻塞：Pacemaker 不会再自行处理',
    why: 'stop 失败而没有配置隔离：Pacemaker 不知道它是否还在运行，所以既不能停止也不能在别处启动。',
  },
  RESOURCE_UNMANAGED: {
    what: '{resource} 不受管理：Pacemaker 只看不动',
    why: '该资源或其外层的 is-managed 为 false。节点故障时它不会被移动。',
  },
  RESOURCE_MAINTENANCE: {
    what: '{resource} 处于维护模式：Pacemaker 既不监视也不移动它',
    why: '它的元属性 maintenance 为 true，优先于 is-managed。节点故障时它不会被移动。',
  },
  UNMANAGED_BY_DEFAULT: {
    what: 'Pacemaker 不处理没有另行指定的任何资源：资源默认值的 {name} 是 {value}',
    why: '有人为所有资源设置了它。在有人将其删除之前，不会重启也不会接管。',
  },
  RESOURCE_DISABLED: {
    what: '{resource} 已被关闭：target-role 是 {role}',
    why: '有人有意停止了它（pcs resource disable），直到有人重新启用。',
  },
  DISABLED_BY_DEFAULT: {
    what: '没有另行指定的资源全部被关闭：资源默认值的 target-role 是 {role}',
    why: '有人为所有资源设置了它，直到有人将其删除。',
  },
  MOVE_LEFT_BEHIND: {
    what: '{constraint} 把 {resource} 固定在 {node}',
    why: '用 pcs、crmsh 或 crm_resource 移动资源会留下没有期限的约束。服务会尽可能回到那个节点，即使它刚出过故障。',
  },
  BAN_LEFT_BEHIND: {
    what: '{constraint} 不让 {resource} 在 {node} 运行',
    why: '没有期限的禁止：另一节点故障时没有节点接管。',
  },
  BANNED_FOR_NOW: {
    what: '{resource} 在 {until} 之前不在 {node} 运行',
    why: '由 pcs、crmsh 或 crm_resource 设置的有期限的禁止。在此期间另一节点故障时没有节点接管。',
  },
  SWITCH_UNFINISHED: {
    what: '{resource} 正在移到 {node}，或移动被中断；其约束在 {until} 自动失效',
    why: 'tsha switch 写入的约束会过期。清除它不会使资源移回。',
  },
  MIGRATION_UNFINISHED: {
    what: 'tsha migrate --to={to} 正在进行，或已中断（{node}）；在它结束之前集群处于维护模式',
    why: '一切继续运行，但不会重启也不会接管。手动结束维护模式会重启由其他代理管理过的资源：tsha migrate 可继续或换回，不会重启。',
  },
  PARAMETERS_IGNORED: {
    what: 'tsha migrate --to={to}：这些代理会忽略 {what}',
    why: '这些参数留在配置中，供换回时使用。它们现在设置的内容保持到资源下一次启动。',
  },
  COMMAND_BROKEN_OFF: {
    what: '"{command}" 在本节点上未结束就被杀死',
    why: '它不会再继续。它已开始的事由其他发现说明：有期限的约束、维护状态的节点、尚未建立的连接。下一个改动集群的命令会清除这条记录。',
  },
  FENCE_LEFT_BEHIND: {
    what: '{resource} 的数据全部是 UpToDate，但 {constraint} 仍禁止某节点被提升',
    why: 'DRBD 的 fence-peer 处理程序留下了它，而应当清除它的处理程序没有运行。另一节点无法接管。',
  },
  PEER_FENCED: {
    what: '{constraint} 禁止提升 {resource} 副本较旧的节点',
    why: '由 DRBD 的 fence-peer 处理程序写入。副本恢复为 UpToDate 后会自动消失。',
  },
  SPLIT_BRAIN: {
    what: '{resource} 的数据已分叉：{here} 至多有 {mine}、{peer} 至多有 {theirs} 是对方没有的',
    why: '两个节点在互不知情的情况下都写过数据。不要匆忙：活动节点继续服务，故障切换会丢失它的修改。必须放弃一边，只有人能决定放弃哪一边。',
  },
  STANDALONE: {
    what: '{resource} 不再尝试连接 {peer}：连接处于 StandAlone',
    why: '管理员断开了连接，或脑裂（split brain）比内核日志更早。没有第二份数据。',
  },
  DISCONNECTED: {
    what: '{resource} 连不上 {peer}（{state}）：没有第二份数据',
    why: '对端已停机、其 DRBD 已停止，或复制链路中断。',
  },
  SYNCING: {
    what: '{resource} 正在同步（{direction} {peer}）：已完成 {done}，剩余 {left}',
    why: '同步完成之前第二份数据不可用。无需操作。',
  },
  SYNC_PAUSED: {
    what: '{resource} 的同步（{direction} {peer}）已暂停（{state}）',
    why: '同步被人为暂停、在等其他资源的同步，或在等对端。',
  },
  COPY_OLD: {
    what: '{node} 上 {resource} 的副本状态是 {disk}',
    why: '重新同步之前它不能接管。',
  },
  DISK_LOST: {
    what: '{node} 上 {resource} 没有磁盘（{disk}）：只剩一份数据',
    why: '磁盘故障后被 DRBD 放弃，或被人分离。该节点通过网络使用对端的磁盘。',
  },
  WRITES_SUSPENDED: {
    what: 'DRBD 暂停了 {resource} 的所有读写：{reason}',
    why: '客户端在等待。"fencing"：处理程序尚未结束；"quorum" 或 "no-data"：需要对端或磁盘恢复；"user"：人为暂停。',
  },
  DRBD_QUORUM_LOST: {
    what: '{resource} 的副本失去了法定多数（quorum）',
    why: '超过一半的副本不可达，因此本节点不能写。',
  },
  DRBD_DOWN: {
    what: 'Pacemaker 认为 {resource} 在本节点运行，但内核没有 DRBD 资源 {name}',
    why: '它在集群之外被停掉；下一次监视会发现。在此期间本节点没有数据副本。',
  },
  NO_SECOND_COPY: {
    what: '没有第二份最新数据，而这里没有任何信息说明原因',
    why: 'DRBD 只在一个节点上运行，或者它的代理告诉集群两份数据不同。此时提供服务的节点一旦故障，就没有节点提供服务。',
  },
  NO_TAKE_OVER: {
    what: '没有其他节点能从 {node} 接管 {service}',
    why: '数据是安全的，但其他节点都没有就绪：正在加入的节点几秒之后就会就绪。',
  },
  MOUNT_MISSING: {
    what: 'Pacemaker 认为 {resource} 在本节点运行，但 {directory} 上没有挂载',
    why: '它被人或其他程序卸载；下一次监视会发现。',
  },
  ADDRESS_MISSING: {
    what: 'Pacemaker 认为 {resource} 在本节点运行，但 {ip} 不在本节点的任何接口上',
    why: '地址被人或其他程序拿走了；下一次监视会发现。',
  },
  NFSD_DEAD: {
    what: 'Pacemaker 认为 {resource} 在本节点运行，但内核没有 NFS 线程',
    why: '服务器在集群之外被停止；下一次监视会发现。',
  },
  GRACE: {
    what: 'NFS 服务器处于宽限期：客户端正在收回锁，新的锁要等待',
    why: '它会自动结束，最迟在配置的宽限时间之后。',
  },
  FENCING_OFF: {
    what: '隔离（fencing）已关闭（stonith-enabled={value}）',
    why: '互相看不见的两个节点会同时占用磁盘；stop 失败时服务会被永久阻塞，而不是隔离该节点。',
  },
  NO_FENCING_DEVICE: {
    what: '没有配置隔离设备',
    why: '隔离已打开，但没有设备能执行：Pacemaker 拒绝启动资源，或永远等待失联的节点。',
  },
  QUORUM_IGNORED: {
    what: 'no-quorum-policy 是 {value}：集群的一部分在没有仲裁时继续运行',
    why: '两节点集群不需要它：corosync.conf 中的 "two_node: 1" 让每个节点都有仲裁，wait_for_all 防止单独启动的节点启动服务。',
  },
  NO_TWO_NODE: {
    what: 'corosync.conf 有两个节点，却没有 "two_node: 1"',
    why: '一个节点失联后，另一个没有仲裁，会停止服务。',
  },
  NO_WAIT_FOR_ALL: {
    what: 'corosync.conf 中 wait_for_all 已关闭',
    why: '启动时看不到对端的节点会用自己的副本启动服务：这正是脑裂的来路。',
  },
  DETECTION_SLOW: {
    what: 'corosync 约 {seconds} 秒后才认定死掉的节点已死（token {token} 毫秒）',
    why: '这段时间里客户端只能等待。token 为 1000 时约 2 秒；代价是：停顿一秒的节点会被当作死亡并被隔离。',
  },
  DETECTION_HASTY: {
    what: 'corosync 把沉默 {token} 毫秒的节点视为丢失',
    why: '繁忙的机器有时会停顿这么久：服务会从正常的节点上被夺走，或者该节点被隔离。',
  },
  NO_MONITOR: {
    what: '{resource} 没有周期性的 monitor',
    why: '它失败时没人知道，也不会重启。',
  },
  NO_PROMOTED_MONITOR: {
    what: '{resource} 没有 Promoted 角色的 monitor：提供服务的一边从不被检查',
    why: '没有 role 的 monitor 只检查未提升的实例。活动节点丢失磁盘或 I/O 冻结都不会被发现。',
  },
  NO_UNPROMOTED_MONITOR: {
    what: '{resource} 没有 Unpromoted 角色的 monitor：第二份数据从不被检查',
    why: 'role=Promoted 的 monitor 只检查活动节点。',
  },
  NO_NOTIFY: {
    what: '{resource} 的克隆 {clone} 没有 notify=true',
    why: 'drbd 代理会很晚或永远不知道对端已失去：提升分数和旧副本的标记都依赖通知。',
  },
  TOO_MANY_PROMOTED: {
    what: '{clone} 的 promoted-max 是 {value}：Pacemaker 可能让两个节点同时成为 Primary',
    why: 'NFS 服务器的文件系统只能挂载一次。两个 Primary 加 XFS 或 ext4 会毁掉文件系统。',
  },
  NOT_WITH_PROMOTED: {
    what: '没有约束使 {resource} 留在 {clone} 被提升的节点',
    why: '没有 colocation，Pacemaker 可能在 DRBD 为 Secondary 的节点上启动文件系统而失败。',
  },
  NOT_AFTER_PROMOTE: {
    what: '{resource} 不等待 {clone} 的提升',
    why: '没有 order，Pacemaker 会在 DRBD 成为 Primary 之前启动文件系统：故障切换时偶尔失败。',
  },
  ADDRESS_FIRST: {
    what: '组 {group} 中地址 {ip} 在 {export} 之前启动：客户端会遇到尚未导出的服务器',
    why: '客户端会得到 "permission denied" 或失效的句柄，而不是暂停；出错后继续写的程序会在文件里留下空洞。地址放在最后，客户端只会等待。',
  },
  INFODIR_EXPORTED: {
    what: '服务器状态目录 {infodir} 位于导出目录 {export} 之内',
    why: '客户端可以读取、修改、删除服务器关于锁的记录。使用 no_root_squash 时任何客户端都可以。',
  },
  FSID_TWICE: {
    what: '{resource} 和 {other} 的 fsid={fsid} 相同',
    why: '一个导出的客户端会得到另一个导出的文件。',
  },
  NO_FSID: {
    what: '导出 {resource} 没有 fsid',
    why: '客户端的文件句柄取决于设备；在另一节点上可能失效。',
  },
  GRACE_DEFAULT: {
    what: '故障切换后新的 NFSv4 锁要等 {grace} 秒（默认值）',
    why: '切换约需十秒时，15 至 30 秒就够。两个节点必须相同：/etc/nfs.conf.d 中 [nfsd] 的 grace-time 和 lease-time。',
  },
  LOCKD_GRACE_LONG: {
    what: '故障切换后，只要有 NFSv3 客户端的记录，新的锁（包括 NFSv4 的）要等 {lockd} 秒；NFSv4 本身只需 {grace} 秒',
    why: '无论 nlm_grace_period 是多少，rpc.nfsd 都把 nfs.conf 的 grace-time 给 lockd，内核再把它向上取整到 10 秒的倍数。NFSv3 客户端得到通知后一秒之内就收回锁；10 秒已为启动的其余部分留出余地。',
  },
  CLAIMS_DELEGATED: {
    what: '故障切换之后，NFSv4 客户端可能得到别的客户端持有的锁，并在锁下读到旧数据（{agent}）',
    why: '客户端向重新启动的服务器收回每个打开着的文件时，Linux（在 7.2 上观察到；写委托始于 6.6）都给它委托。有了委托，客户端自己就给自己别人尚未收回的锁，并相信自己的缓存。ocf:tsha:nfsserver 在客户端可以收回期间不给任何委托。',
  },
  GRACE_BELOW_LEASE: {
    what: '宽限期（{grace} 秒）短于租约（{lease} 秒）',
    why: '客户端最多晚一个租约才发现服务器是新的，那时已来不及收回锁。',
  },
  RANDOM_PORTS: {
    what: 'NFSv3 的辅助服务使用随机端口：{daemons}',
    why: '在防火墙后面，NFSv3 客户端在故障切换后无法挂载或加锁。',
  },
  FIREWALL_RANDOM_PORTS: {
    what: '防火墙过滤入站连接，却无从知道 {daemons} 的随机端口',
    why: 'NFSv3 客户端通过它们挂载和加锁；故障切换或下次启动之后端口会变。',
  },
  FIREWALL_CLOSED: {
    what: '防火墙过滤入站连接，而没有规则提到 {ports}',
    why: '客户端在一个节点上能访问服务，在另一个节点上不能，或者都不能。',
  },
  NFS_SERVER_AT_BOOT: {
    what: '{unit} 随系统启动，与集群冲突',
    why: '服务器会在没有数据的节点上运行，妨碍第一次故障切换。',
  },
  SCRIPT_AT_BOOT: {
    what: 'init 脚本 {script} 随系统启动，与集群冲突',
    why: 'NFS 服务器会在没有数据的节点上运行；DRBD 会在 Pacemaker 要求之前就启动并等待对端，可能永远等待。',
  },
  DRBD_AT_BOOT: {
    what: 'drbd 随系统启动，与集群冲突',
    why: '启动时它等待对端，可能永远等待；并且 DRBD 在 Pacemaker 要求之前就已启动。',
  },
  FSTAB: {
    what: '/etc/fstab 会挂载 {device}，而它属于 {resource}',
    why: '启动时或执行 "mount -a" 时，它会绕过集群被挂载。',
  },
  MOUNT_UNIT: {
    what: '单元 {unit} 会挂载属于 {resource} 的内容',
    why: '启动时或有程序需要它时，它会绕过集群被挂载。',
  },
  KERNEL_WITHOUT_DRBD: {
    what: '最新的内核 {kernel} 没有 DRBD {version} 的模块',
    why: '下次启动进入该内核后，该节点没有 DRBD，或只有旧版本。',
  },
  DRBD_UNPROTECTED: {
    what: '没有任何机制防止 {resource} 脑裂：{reason}',
    why: '失去对端的节点可能带着旧数据被提升，数据由此分叉。DRBD 9：quorum majority（三个节点）或 fencing resource-and-stonith；8.4：fencing resource-and-stonith；两者都需要处理程序。',
  },
  DRBD_NO_FENCE_HANDLER: {
    what: '{resource} 的 fencing 是 {fencing}，但没有 fence-peer 处理程序：DRBD 会拒绝提升',
    why: '该策略需要处理程序来标记或隔离对端；没有它，失去对端就无法提升。',
  },
  DRBD_NO_UNFENCE_HANDLER: {
    what: '{resource} 有 fence-peer 处理程序，却没有 {handler}：它留下的约束永远不会消失',
    why: '第一次失去对端之后，另一节点再也不能被提升，直到有人删除约束。',
  },
  DRBD_HANDLER_MISSING: {
    what: '{resource} 的处理程序 {handler} 不存在：{program}',
    why: 'DRBD 在关键时刻调用它，却什么都不会发生。',
  },
  DRBD_PROMOTE_TOO_SHORT: {
    what: '{resource} 的 promote 最多 {given} 秒，而 fence-peer 处理程序本身就需要 {needed} 秒',
    why: '处理程序还在工作时操作就会超时，并被当作失败。',
  },
  DRBD_TWO_PRIMARIES: {
    what: '{resource} 打开了 allow-two-primaries，而只提升一个实例',
    why: '离一个文件系统被两边同时写入只差一次误操作。',
  },
  DRBD_STRANGE_HOST: {
    what: '{resource} 的 DRBD 主机 {host} 不是本集群的节点（{nodes}）',
    why: '代理和处理程序按节点名识别对端；隔离将找不到对象。',
  },
  SPLIT_BRAIN_SILENT: {
    what: '{resource} 发生脑裂时没有人会知道：没有 split-brain 处理程序，集群也没有 alert',
    why: '脑裂每多一小时没被发现，代价就更大。',
  },
  NO_ALERT: {
    what: '没有任何东西记录发生的事：Pacemaker 没有 alert {path}',
    why: '这样 tsha history 和 tsha report 只知道集群自己记得的：每种动作的最后一次，精确到秒，而且有人清除后就没有了。',
  },
  AFTER_SB_DISCARDS: {
    what: '{resource} 会自动解决脑裂（{policy}）：不经询问就放弃某一边的修改',
    why: '自动策略依据 DRBD 所知道的信息，而不是数据的价值。',
  },
  VERSIONS_DIFFER: {
    what: '两个节点的 {what} 版本不同（{versions}）',
    why: '滚动升级过程中会这样；不应长期如此。',
  },
  CONFIGURATIONS_DIFFER: {
    what: '{node} 和 {peer} 的 {what} 不同',
    why: '哪一份生效取决于哪个节点在工作：故障切换之后就是另一份。',
  },
  CLOCKS_DIFFER: {
    what: '{node} 和 {peer} 的时钟相差 {seconds} 秒',
    why: '故障时间无法比较，有期限的约束会过早或过晚失效，故障切换后客户端会看到来自未来的文件。',
  },
  NODE_NOT_LOOKED_AT: {
    what: '没有查看 {node} 的文件：{reason}',
    why: 'tsha 以 root 通过 ssh 询问另一节点，不交互，最多 5 秒。如果不希望这样，请在那里也运行一次。',
  },
  ACCEPTED: {
    what: '{code} 已被接受，直到 {until}：{why}',
    why: '配置文件（accept:）如此规定。从第二天起会重新报告。',
  },
  LOSS_NOT_SURVIVED: {
    what: '如果现在失去 {node}，{resource} 将无处运行',
    why: 'crm_simulate 已按集群的现状推演过。原因在其他发现之中。',
  },
  CLUSTER_NOT_HERE: {
    what: '本节点上没有运行集群：{reason}',
    why: '有人在这里停掉了它，或者它启动失败，或者本节点被隔离之后在等人处理。服务是否在运行，另一节点知道；本节点无法接管。',
  },
  COULD_NOT_FIND_OUT: {
    what: '无法查明{subject}：{reason}',
    why: '显示的内容可能不完整。有些信息只有 root 能看；另一些需要集群管理器或内核回答。',
  },
};
