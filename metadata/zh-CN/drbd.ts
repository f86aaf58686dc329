import type { params } from '../../agents/drbd/params.ts';
import type { Prose } from '../../lib/ocf/agent.ts';
import { traceProse } from './trace.ts';

export default {
  short: '以可提升克隆的方式管理 DRBD 资源',
  long: `
将一个 DRBD 资源（在节点之间复制的块设备）作为可提升克隆来管理：它在每个节点上以 Secondary 运行，由 Pacemaker 决定在哪个节点提升为 Primary。
支持 DRBD 9，也支持 Linux 内核自带的 DRBD 8.4。

资源必须已写入 DRBD 配置，并已创建元数据。本代理从不创建元数据，从不强制改变角色，从不丢弃数据。资源是否运行、处于什么角色，以内核的回答为准；
节点上数据的好坏只决定其提升分数。无法询问内核时，代理会如实报告，绝不把“未知”当作“已停止”。

请配置为 promotable=true、notify=true、promoted-max=1 的克隆，并用 DRBD 自身的仲裁（quorum）或隔离（fencing）及其处理程序防止数据分叉。`,
  params: {
    drbd_resource: {
      short: 'DRBD 配置中的资源名',
      long: 'DRBD 配置中一个资源的名称，与“drbdadm status”所用的相同。“all”以及 drbdadm 会当作卷、对端或次设备号的名称（data/0、data:node2、minor-0）会被拒绝。',
    },
    drbdconf: {
      short: 'DRBD 配置文件',
      long: 'DRBD 配置文件，传给每一条 drbdadm 命令。',
    },
    adjust_master_score: {
      short: '四个提升分数：仅 Consistent、仅对端有数据、对端未知、一切正常',
      long: `
四个不递减的整数，即本节点在以下情况的提升分数：(1) 数据仅为 Consistent，且无对端可询问；(2) 本地没有完好数据，但某个对端拥有全部数据；
(3) 本地数据完好，但某个对端的数据状态未知；(4) 本地数据完好且所有对端状态已知，或本节点已是 Primary。0 表示此状态下不得提升。
若不是这样的四个数，则使用默认值。`,
    },
    stop_outdates_secondary: {
      short: '停止时若另一节点仍为 Primary，将本地数据标记为 Outdated',
      long: `
Secondary 停止或看不到对端、而另一节点仍处于提升状态时，将本地数据标记为 Outdated，使其日后不会带着旧数据被提升。
通常保持关闭：DRBD 自身的隔离机制做得更好。`,
    },
    ignore_missing_notifications: {
      short: '没有 notify=true 也继续工作',
      long: '克隆未设置 notify=true 时也允许启动。没有通知，节点不会在对端回来时重新连接，分数也要等到下一次监控才更新。',
    },
    wfc_timeout: {
      short: '启动结束时等待连接的秒数；0、空值或非数字：不等待',
      long: '启动时等待与对端建立连接的秒数，绝不超过启动操作自身的超时。连接不上，启动仍然成功。0、空值或任何非数字内容：不等待。',
    },
    remove_master_score_if_peer_primary: {
      short: '对端为 Primary 时删除分数：true、false 或 unexpected（集群不知情时）',
      long: `
Secondary 看到数据完好的对端为 Primary 时，是否放弃自己的提升分数。“true”：总是放弃。“unexpected”：仅当集群自身不知道别处有已提升的实例，
即有人手工提升了对端时放弃。“false”：从不放弃。`,
    },
    fail_promote_early_if_peer_primary: {
      short: '对端为 Primary 而集群不知情时，尽早放弃提升',
      long: '提升被拒绝、且某个对端是集群并不知情的 Primary 时，立即失败，而不是一直重试到超时。',
    },
    unfence_if_all_uptodate: {
      short: '所有数据均为 UpToDate 时，在 Primary 上运行 unfence-peer 处理程序',
      long: `
在 Primary 上，当所有节点的所有磁盘均为 UpToDate 时，运行“drbdadm unfence-peer”，清除 fence-peer 处理程序留下的约束。
进入该状态时运行一次，之后每分钟一次。`,
    },
    unfence_extra_args: {
      short: '传给 unfence-peer 处理程序的附加参数',
      long: '传给 DRBD 自带 unfence-peer 处理程序的附加参数，处理程序从环境变量中读取。',
    },
    require_drbd_module_version_ge: {
      short: '可接受的最低 DRBD 内核模块版本，x.y.z；空值：不限',
      long: '内核模块低于此版本（格式 x.y.z）时拒绝启动。空值：不检查。',
    },
    require_drbd_module_version_lt: {
      short: 'DRBD 内核模块版本上限（不含），x.y.z；空值：不限',
      long: '内核模块不低于此版本（格式 x.y.z）时拒绝启动。空值：不检查。',
    },
    connect_only_after_promote: {
      short: '仅在提升之后才连接对端，用于堆叠资源',
      long: '启动时不连接对端，提升之后才连接。用于堆叠（stacked）资源，其地址随下层资源移动。',
    },
    report_degraded: {
      short: '失去冗余时通过监控告知 Pacemaker：退出码 190 和 191',
      long: `
资源可用但失去冗余时，周期性监控以 190（Secondary）或 191（Primary）代替 0 或 8 结束：有对端未连接或数据落后、磁盘不是 UpToDate、
正在重新同步、失去仲裁、I/O 被挂起、数据已分叉。Pacemaker 将这些退出码视为成功，并列为“degraded”；恢复正常后该条目仍会保留，
直到执行“pcs resource cleanup”。仅在 Pacemaker 2.1 及更新版本下生效，其他情况下忽略。`,
    },
    state_attribute: {
      short: '将数据状态写入节点属性 tsha-drbd-<资源名>',
      long: `
将数据状态保存为节点的临时属性 tsha-drbd-<资源名>，可用“crm_mon -A”查看，也可由告警代理监视：connected、connecting、standalone、
split-brain、no-quorum、no-data、suspended、synctarget 40%、synctarget 40% suspended user、diskless、peer-outdated 等，取其中最严重的一项。变化时写入，停止时删除。`,
    },
    fail_promoted_without_data: {
      short: '数据不可及或 I/O 持续挂起的 Primary 视为失败',
      long: `
Primary 在本地和所有对端都没有 UpToDate 数据时，监控失败（退出码 9）；I/O 返回错误（失去仲裁且 on-no-quorum 为 io-error，或 force-io-failures），或挂起超过一个监控间隔时也是如此；正在隔离（fencing）对端时，则须超过 fence-peer 处理程序可用的时间。随后 Pacemaker 会将其恢复，
必要时在其他节点上恢复。关闭时，这样的 Primary 仍算作运行中，使用者只能等待。`,
    },
    keep_promoted_score: {
      short: '为 Primary 添加新卷期间保留其提升分数',
      long: `
向运行中的资源添加的卷在首次同步之前为 Inconsistent，Primary 会因此失去提升分数，Pacemaker 可能将其迁走。启用此参数后，只要其余各卷均为
UpToDate，且没有任何节点拥有新卷的 UpToDate 数据，Primary 就保留其分数。`,
    },
    wfc_before_promote: {
      short: '没有任何对端连接时，提升之前等待的秒数',
      long: `
没有任何对端连接时，提升之前最多等待这么多秒，使刚启动的节点在提升之前有机会得知更新的数据。一旦有对端连接即继续，最迟在提升操作超时的一半之后继续。0：不等待。`,
    },
    demote_force: {
      short: '最后手段：强制将被占用的设备降为 Secondary（DRBD 9.1.7 及以上）',
      long: `
设备被占用，直到超时前不久仍无法降级或停止时，使用“drbdsetup secondary --force”：此后占用者会得到 I/O 错误，但节点若被隔离损失更大。
需要 DRBD 9.1.7 或更新版本；更旧的版本与未设置此参数时一样失败。占用者会记入日志。`,
    },
    check_config: {
      short: 'validate-all 发现有风险的 DRBD 或集群配置时如何处理',
      long: `
OCF_CHECK_LEVEL=10 时，validate-all 会查找平时无碍、故障当天才出问题的配置：既无仲裁也无隔离、处理程序缺失、提升超时小于 fence-peer
处理程序的超时、不必要的 allow-two-primaries、主机名不是集群节点名、遗留的隔离约束。“warn”记入日志，“fail”拒绝该配置，“off”不检查。`,
    },
    ...traceProse,
  },
} satisfies Prose<typeof params>;
