import type { params } from '../../agents/nfsnotify/params.ts';
import type { Prose } from '../../lib/ocf/agent.ts';
import { traceProse } from './trace.ts';

export default {
  short: '通知 NFSv3 客户端服务器已重新开始，以便重新申请锁',
  long: `
向故障切换前在服务器上持有锁的每个 NFSv3 客户端发送通知（SM_NOTIFY），使其可以重新申请锁。它应排在资源组的最后，位于导出和地址之后，并在
nfsserver 资源上设置 nfs_no_notify=true：过早得到通知的客户端还无法申请，锁就会丢失。

通知由代理自身从客户端挂载所用的地址发出，客户端正是据此识别服务器。不需要 sm-notify，地址不需要主机名，也不需要名字服务。没有立即应答的
客户端会在后台继续得到通知，持续 15 分钟。“运行中”表示自当前 rpc.statd 启动以来已通知过客户端；NFS 服务器旁没有 rpc.statd
运行时，由 nfsserver 资源报告失败。仅提供 NFSv4 的服务器无事可做，启动时会说明。

启动时还会让旧服务器的客户端立即重新连接，与 NFS 版本无关：仅靠 TCP 重传，客户端发现新服务器可能要晚一倍（即 CTDB 和 portblock 所说的
tickle，用 resource-agents 的 tickle_tcp 发送）。监控把已连接客户端的列表保存在随 NFS 服务器移动的 /var/lib/nfs/tsha-connections 中。`,
  params: {
    source_host: {
      short: '客户端挂载所用的地址或主机名，逗号分隔：通知从这些地址发出',
      long: `
客户端挂载所用的地址或主机名，逗号分隔，通常就是资源组的地址。主机名代表其在本机上的所有地址。资源启动时每个地址都必须在本机上（主机名至少
有一个），否则启动失败并指出缺少哪一个。不设置时由内核选择地址，而使用浮动地址的客户端无法识别它。`,
    },
    notify_args: {
      short: 'sm-notify 风格的选项：-d（等待全部）、-n（保持状态号）、-m 分钟、-p 端口',
      long: `
采用 sm-notify(8) 的写法：-d 使启动一直等到所有客户端确认，-n 保持状态号（已知该号的客户端不做任何事），-m 分钟数限制重复时间（默认 15，
0 表示一直重复），-p 端口设置源端口（默认取 1024 以下的空闲端口）。其他选项会被拒绝。`,
    },
    ...traceProse,
  },
} satisfies Prose<typeof params>;
