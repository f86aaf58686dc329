import type { params } from '../../agents/nfsserver/params.ts';
import type { Prose } from '../../lib/ocf/agent.ts';
import { traceProse } from './trace.ts';

export default {
  short: '运行内核 NFS 服务器，其状态保存在故障切换文件系统上',
  long: `
通过 systemd（没有 systemd 时通过 init 脚本）运行内核 NFS 服务器及其辅助守护进程（rpc.mountd、rpc.idmapd、nfsdcld、rpc.statd、fsidd），并把客户端所依赖的状态（哪些客户端
持有锁、故障切换后它们可以重新申请什么）保存在故障切换文件系统上。每台机器只有一个内核 NFS 服务器，因此每个节点只能有一个此类资源，第二个会被拒绝。

在资源组中，它应位于 Filesystem 之后、exportfs 之前：启动 nfs-server.service 会撤销不在 /etc/exports 中的所有导出，停止它则撤销全部导出。
服务地址排在导出之后，tsha:nfsnotify 排在最后。

任何节点都不得设置 nfs-server.service 开机自启。无论发行版遗留了哪些 init 脚本、已启用的辅助服务或 /var/lib/nfs 上打开的文件，都不需要
drop-in，也不需要屏蔽任何单元：在状态目录就位之前已运行的辅助进程会在其上重新启动，移走状态目录时仍占用它的辅助进程会被结束。
rpcbind 会按需启动，但从不停止。

监视动作只读取 /proc，不执行任何命令。OCF_CHECK_LEVEL=10 时还会要求 nfsd、rpc.mountd 和 rpc.statd 各在 5 秒内应答；20 时还会通过本机上
nfs_ip 的每个地址询问 nfsd。`,
  params: {
    nfs_shared_infodir: {
      short: '故障切换文件系统上保存 NFS 服务器状态的目录，挂载到 /var/lib/nfs 之上',
      long: `
故障切换文件系统上的目录，服务器运行期间挂载到 /var/lib/nfs 之上，使锁在故障切换后仍然有效。目录不存在时会自动创建；它可以就是导出目录
本身，但放在旁边的目录里，客户端就看不到服务器的文件。不设置时 /var/lib/nfs 保持原样：请把故障切换文件系统挂载在那里，否则每次切换都会丢失所有锁。`,
    },
    nfs_server_scope: {
      short: 'NFSv4.1 服务器作用域，所有节点必须相同；不设置时自动生成并保存在 nfs_shared_infodir 中',
      long: `
告知 NFSv4.1 及以上客户端的作用域名称，最长 64 个字符，可用字母、数字、点、冒号、连字符和下划线。各节点必须相同：Linux 客户端若在切换后发现
作用域改变，就会放弃所持有的锁，持锁的程序会得到输入/输出错误。不设置时生成一次名称，保存在 nfs_shared_infodir 的 server-scope 文件中，
每个节点都能读到；若也没有 nfs_shared_infodir，内核使用节点名，NFSv4.1 客户端的锁不能保留。/etc/nfs.conf 中的 scope 会被尊重。
nfs-utils 2.6.3 及以上通过 /etc/nfs.conf.d 中的文件设置，更早的版本通过 /run 下的 systemd drop-in 设置。`,
    },
    nfs_ip: {
      short: '服务地址，逗号分隔：锁通知从这些地址发出',
      long: `
客户端挂载所用的地址，逗号分隔。锁通知从每个地址发出，检查级别 20 会询问这些地址。服务器启动时本机尚未拥有的地址会被跳过并给出警告：请改用排在地址之后的 tsha:nfsnotify。`,
    },
    nfs_no_notify: {
      short: '启动结束时不通知 NFSv3 客户端，稍后由 tsha:nfsnotify 完成',
      long: `
启动结束时不通知 NFSv3 客户端。当资源组最后一个成员是 tsha:nfsnotify 时设置此项：那时导出和地址都已就绪；过早得到通知的客户端还无法重新申请锁。`,
    },
    nfs_notify_foreground: {
      short: '启动时等待所有 NFSv3 客户端确认通知',
      long: '启动动作一直等到每个 NFSv3 客户端都确认通知，或时间即将用尽。默认情况下，没有立即应答的客户端会在后台继续得到通知。',
    },
    nfs_smnotify_retry_time: {
      short: '对未确认的锁通知重复发送的分钟数；不设置为 15，0 表示一直重复',
      long: '对没有确认通知的客户端重复发送多少分钟；不设置时为 15，0 表示一直重复。',
    },
    nfsv4_only: {
      short: '只提供 NFSv4：不使用 rpcbind、rpc.statd 和锁通知',
      long: `
只提供 NFSv4：服务器运行期间关闭 NFSv3，既不启动也不监视 rpcbind、rpc.statd 和锁通知。若无他用可屏蔽 rpcbind 和 rpc-statd。仅在 /etc/nfs.conf
中设置 vers3=n 效果相同。`,
    },
    rpcpipefs_dir: {
      short: 'rpc_pipefs 的挂载点；取默认值时以 nfs.conf 的 pipefs-directory 为准',
      long: `
rpc_pipefs 文件系统的挂载位置。取默认值时，使用 /etc/nfs.conf 中的 pipefs-directory（Debian：/run/rpc_pipefs），/var/lib/nfs 之下不挂载任何东西。`,
    },
    nfs_init_script: {
      short: 'NFS 服务器的 init 脚本；在 systemd 下忽略',
      long: `
第一个进程不是 systemd 的机器上 NFS 服务器的 init 脚本；在 systemd 下忽略。不设置时取 /etc/init.d/nfsserver、/etc/init.d/nfs、
/etc/init.d/nfs-kernel-server 中第一个可执行的。脚本没有启动的辅助守护进程（rpc.statd 总是如此）由代理启动。`,
    },
    nfs_lease_time: {
      short: '沉默的 NFSv4 客户端多少秒后失去锁；不设置时取 nfs.conf 的值或 90',
      long: `
沉默的 NFSv4 客户端在多少秒内保留其锁和打开的文件，10 到 240。不设置时取 /etc/nfs.conf 的 lease-time 或内核的 90。值小则死掉的客户端的锁更早释放，
客户端也更频繁地联系服务器。更改之后，第一次宽限期不短于客户端仍然知道的租期。`,
    },
    nfs_grace_time: {
      short: '启动后多少秒内客户端可重新申请锁而其他请求等待；不设置时取 nfs.conf 的值或 90',
      long: `
启动之后多少秒内客户端可以重新申请以前的锁，10 到 240，NFSv3 与 NFSv4 相同，除非另设 lockd_grace_time；新的锁和打开请求在此期间等待。不设置时取 /etc/nfs.conf 的
grace-time 或内核的 90（NFSv3 为 50）。不能短于租期：否则空闲的客户端发现重启太晚而失去锁。有 nfsdcld 时，只要所有 4.1 及以上版本的客户端都已重新
申请，内核会自行提前结束 NFSv4 的宽限期。更改从下一次启动起生效。`,
    },
    lockd_grace_time: {
      short: '启动后多少秒内 NFSv3 客户端可重新申请锁；不设置时与 nfsd 相同',
      long: `
启动之后多少秒内 NFSv3 客户端可以重新申请以前的锁，10 到 240：仅用于内核锁管理器的 nfs_grace_time。NFSv3 没有租期：客户端一得知服务器启动，大约一秒之内
就重新申请。只要有 NFSv3 客户端的记录，新的锁（包括 NFSv4 的）就要等待这么久。内核向上取整到 nlm_timeout（10 秒）的倍数：11 即 20。取 10 时，
得到通知的客户端必须在服务器启动后 10 秒之内申请完毕；客户端很远或很多时请取 20。不设置时与 nfsd 相同；nfsd 也没有设置时取内核的 50。节点启动以来
nfsdctl（nfs-utils 2.8.4、Linux 6.15）若已给过 lockd 另一个值（没有此参数时它就会这样做），该值保留到下次启动，start 会指出这一点。`,
    },
    nfsd_args: {
      short: 'rpc.nfsd 的参数，例如线程数',
      long: `
rpc.nfsd 的参数：线程数，以及端口、地址、协议版本、传输方式、宽限期和租期的选项。服务器运行期间写入 nfs.conf，没有 nfs.conf 的系统写入
/etc/sysconfig/nfs。`,
    },
    lockd_udp_port: {
      short: '锁管理器的 UDP 端口',
      long: '内核锁管理器的 UDP 端口，供防火墙使用；不设置时使用任意空闲端口。与所有端口一样，只在服务器运行期间设置。',
    },
    lockd_tcp_port: {
      short: '锁管理器的 TCP 端口',
      long: '内核锁管理器的 TCP 端口，供防火墙使用；不设置时使用任意空闲端口。',
    },
    statd_outgoing_port: {
      short: '锁通知的源端口',
      long: 'rpc.statd 和锁通知发送所用的 UDP 源端口；不设置时使用 1024 以下的空闲端口。',
    },
    statd_port: {
      short: 'rpc.statd 的端口',
      long: 'rpc.statd 监听的端口，供防火墙使用；不设置时使用任意空闲端口。',
    },
    mountd_port: {
      short: 'rpc.mountd 的端口',
      long: 'rpc.mountd 监听的端口，供防火墙使用；不设置时使用任意空闲端口。',
    },
    rquotad_port: {
      short: 'rpc.rquotad 的端口；设置后它随服务器运行',
      long: 'quota 软件包的 rpc.rquotad 监听的端口。设置后，NFS 服务器运行期间它在此端口运行，代替发行版自带的服务。',
    },
    nfs_notify_cmd: {
      short: '为旧配置保留并检查；不使用',
      long: '旧配置中指定的锁通知程序。它必须存在，并且是 sm-notify 或 rpc.statd。不使用它：通知由代理自己发送。',
    },
    ...traceProse,
  },
} satisfies Prose<typeof params>;
