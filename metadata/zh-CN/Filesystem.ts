import type { params } from '../../agents/Filesystem/params.ts';
import type { Prose } from '../../lib/ocf/agent.ts';
import { traceProse } from './trace.ts';

export default {
  short: '管理文件系统的挂载',
  long: `
在一个节点上挂载文件系统，并负责卸载：DRBD 设备或共享存储上的磁盘、绑定挂载、网络文件系统、tmpfs。

它绝不覆盖挂载到别的文件系统之上；文件系统仍处于挂载状态时绝不报告"已停止"（路径中有特殊字符、设备节点消失、另一个挂载命名空间仍在使用等情况）；
也绝不卸载不属于自己的挂载，绝不终止与自己无关的进程。存储或服务器失去响应时，监视和停止都不会挂死：二者都在超时之前结束，并说明卡在哪里。

监视深度 0 只读取内核的挂载表，不执行任何命令；若内核因出错把文件系统改为只读（且 options 中没有 ro），也会报告失败。深度 10 绕过缓存从存储读取一个块。
深度 20 还会写入一个小文件并读回。操作通过属性 OCF_CHECK_LEVEL 选择深度。`,
  params: {
    device: {
      short: '要挂载的对象：块设备、UUID= 或 LABEL=、server:/path，或用于绑定挂载的目录',
      long: `
要挂载的对象。可以是块设备（/dev/drbd1）；各节点可自行识别的标签，写作 UUID=、LABEL=、PARTUUID= 或 PARTLABEL=，也可像 mount 那样写 -U 或 -L；
网络文件系统写 server:/path 或 //server/share；绑定挂载写目录；options 含 loop 时写镜像文件；tmpfs 之类的类型可写任意名称。
挂载期间按设备号而不是名称识别设备：/dev 下的链接消失时，资源既不会被判为失败，也不会被遗忘。`,
    },
    directory: {
      short: '挂载点；不存在时自动创建',
      long: '挂载点，绝对路径。不存在时连同上级目录一起创建。路径中的符号链接会被解析。',
    },
    fstype: {
      short: '文件系统类型；不设置时由 mount 判断',
      long: `
传给 mount -t 的文件系统类型，例如 xfs。绑定挂载用 none 并在 options 中写 bind。不设置时由 mount 查看设备来判断，并且每次挂载之前都运行 fsck。`,
    },
    options: {
      short: '挂载选项，逗号分隔，同 mount -o',
      long: '传给 mount -o 的选项，以逗号分隔。绑定挂载可用 bind,ro 设为只读，其来源仍可写。',
    },
    statusfile_prefix: {
      short: '深度 20 的监视在挂载点下写入文件的位置',
      long: '深度 20 的监视所写文件的名称前缀，相对于挂载点。以 / 结尾的前缀表示目录，需要时自动创建。',
    },
    run_fsck: {
      short: '挂载前检查文件系统：auto、force 或 no',
      long: `
挂载前是否运行 fsck -p。auto：仅对不能自行回放日志的类型运行；force：总是运行；no：从不运行。fsck 无法修复的错误会使启动失败。`,
    },
    fast_stop: {
      short: '停止操作 6 秒后放弃，而不是等到临近超时',
      long: '停止操作在 6 秒后放弃。默认会坚持到临近操作超时，因为停止失败会导致节点被隔离（fencing）。',
    },
    force_clones: {
      short: '允许不支持集群的文件系统作为克隆运行',
      long: `
允许不支持集群的文件系统作为克隆运行。两个节点同时写入同一个普通文件系统会将其毁坏：仅当每个节点各有自己的设备时才可使用。`,
    },
    force_unmount: {
      short: '停止时如何处理占用文件系统的进程：true、safe 或 false',
      long: `
停止时有进程占用文件系统该怎么办。true 或 safe：发送信号，前一半时间用 term_signals，后一半时间用 kill_signals。false：等待，若进程不自行离开则失败。
占用者是按挂载本身在 /proc 中查找的，因此绝不会误伤其他文件系统的进程，也绝不会触及集群自身的守护进程、init 以及本代理的父进程。
加上 move（例如 true,move）时，停止操作先把挂载移到挂载点旁边（从 /data 移到 /.data），使被重新启动的程序找不到它。这要求父挂载不与其他命名空间共享，
否则就地卸载。原版代理的 xargs、noxargs、ps、nops 可以写，但在此没有作用。`,
    },
    term_signals: {
      short: '停止操作前半段依次使用的信号',
      long: '停止操作前半段依次发送的信号，以空格分隔：信号名（可带或不带 SIG）或编号。',
    },
    kill_signals: {
      short: '停止操作后半段依次使用的信号',
      long: '停止操作后半段依次发送的信号，写法同 term_signals；对忽略全部 term_signals 的进程，在其后 3 秒就发送。',
    },
    signal_delay: {
      short: '发送信号后到下次尝试卸载之间的秒数，可带小数',
      long: '进程对信号作出反应的时间（秒），之后再次尝试卸载；可带小数。若进程已全部退出则提前结束等待。',
    },
    ...traceProse,
  },
} satisfies Prose<typeof params>;
