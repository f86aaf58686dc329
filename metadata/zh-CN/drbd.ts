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
      long: 'DRBD 配置中的资源名，与“drbdadm status”所用的名称相同。',
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
      short: '启动结束时等待连接的秒数；空值或非数字：不等待',
      long: '启动时等待与对端建立连接的秒数。连接不上，启动仍然成功。空值或任何非数字内容：不等待。',
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
    ...traceProse,
  },
} satisfies Prose<typeof params>;
