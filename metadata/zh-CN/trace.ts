import type { Prose } from '../../lib/ocf/agent.ts';
import type { traceParams } from '../../lib/ocf/trace.ts';

/** 每个代理共有的跟踪参数。 */
export const traceProse: Prose<typeof traceParams>['params'] = {
  trace_ra: {
    short: '记录每个动作的跟踪：环境变量，以及每条命令的退出码和耗时',
    long: '记录每个动作的跟踪：环境变量（隐去密码）以及每条命令的退出码、耗时和输出。修改此参数无需重启资源。',
  },
  trace_file: {
    short: '跟踪写到哪里；不设置则每个动作一个文件',
    long: '跟踪文件的绝对路径，或 3 到 9 的文件描述符。不设置时，每个动作在 trace_dir 下写一个文件。',
  },
  trace_dir: {
    short: '跟踪文件所在目录，命名为 <类型>/<实例>.<动作>.<时间>',
    long: '跟踪文件所在目录。文件命名为 <代理>/<资源>.<动作>.<时间>，crmsh 和 crm report 在此处查找。',
  },
};
