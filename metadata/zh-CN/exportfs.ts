import type { params } from '../../agents/exportfs/params.ts';
import type { Prose } from '../../lib/ocf/agent.ts';
import { traceProse } from './trace.ts';

export default {
  short: '管理 NFS 导出（共享目录）',
  long: `
用 exportfs 通过内核 NFS 服务器把一个或多个目录导出给一个客户端。本代理不管理 NFS 服务器本身：在资源组里 nfsserver 应排在它之前，客户端使用的地址
应排在它之后。地址排在最后时，切换期间客户端只会等待；地址排在最前时，导出尚未就绪的一两秒内客户端可能收到错误。

只有当 etab 为该客户端列出了全部目录，并且本节点的 NFS 服务器正在运行时，资源才算运行中：崩溃后残留的 etab，或随共享状态目录从另一节点带来的
etab，都不能证明什么。正常的监控既不查询 DNS，也不执行任何命令。停止时删除所有匹配的条目，让内核忘掉它们，并释放客户端的锁，使文件系统可以卸载。`,
  params: {
    clientspec: {
      short: '允许挂载的客户端：主机、网络、通配符或 *',
      long: `
一个客户端，写法同 exportfs(8)：主机名、地址、网络（10.0.0.0/24 或 10.0.0.0/255.255.255.0）、带通配符的名字、@网络组，或表示所有人的 *。
IPv6 地址加不加方括号都可以。同一目录要导出给多个客户端时，请建立多个资源。`,
    },
    options: {
      short: '导出选项，逗号分隔',
      long: `
导出选项，写法同 exportfs(8) 的 -o，例如 "rw,sync,no_root_squash"。不设置则用 exportfs 的默认值。修改选项无需重启资源即可生效；fsid 除外，因为客户端
会失去已打开的文件：请用参数 fsid 设置它。`,
    },
    directory: {
      short: '要导出的一个或多个目录',
      long: `
要导出的目录的绝对路径；多个目录用空白分隔。列表中名字里的空格写成 "\\040"；只有一个目录时可以照原样写。root 的符号链接会被解析；
位于导出的文件系统上的链接，只有不离开该文件系统时才会被解析。`,
    },
    fsid: {
      short: '客户端看到的文件系统标识：数字、UUID 或 root',
      long: `
客户端用来识别文件系统的标识：数字、UUID，或 "root"（等于 0，使该目录成为 NFSv4 名字空间的根）。它在每个节点上必须相同；不设置则使用文件系统的
UUID，在复制的存储上本来就相同。多个目录从给定的数字起依次加一。它优先于 options 中的 fsid。`,
    },
    unlock_on_stop: {
      short: '停止时释放客户端的锁',
      long: `
停止导出时释放客户端在该文件系统上持有的锁；从 Linux 6.9 起还包括 NFSv4 的打开状态和锁。否则它们可能使文件系统无法卸载。只要同一文件系统上还有别的
导出，就什么都不释放：否则那些客户端会在不知情的情况下丢失锁。若 nfsd 的状态目录就在导出的
文件系统上（nfs_shared_infodir），也不释放：此时 nfsd 必先于文件系统停止，客户端会在下一个节点上收回它们的锁。`,
    },
    wait_for_leasetime_on_stop: {
      short: '停止时等待 NFSv4 租约到期',
      long: `
停止时等待，直到没有 NFSv4 客户端再占用该文件系统；最多等租约时间加两秒，绝不超过停止操作的超时。若接着就停止 nfsserver，则不需要。`,
    },
    rmtab_backup: {
      short: 'rmtab 条目的备份文件，相对于导出目录；或 none',
      long: `
每个导出目录下的一个文件，为下一个节点保存 rmtab（NFSv3 挂载清单）的条目。"none" 表示不保存。如果 rmtab 本身就在导出的文件系统上（共享状态目录），
则不需要也不会写备份。`,
    },
    ...traceProse,
  },
} satisfies Prose<typeof params>;
