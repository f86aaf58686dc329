import type { Language } from '../output/terminal.ts';

const english = {
  nothing: 'Nothing of {file} is in the cluster.',
  goes: 'Of {file} these go from the cluster:',
  ends: 'THE SERVICE ENDS. The data stays on both disks: {disks}',
  stranger:
    '{id} is in the group {group} and not in the file: take it out of the group first. Nothing has been changed',
  shortened: 'stays for the others that it names',
  undecided: 'the cluster has no quorum or no DC, and stops nothing: nothing has been changed',
  wouldStay:
    'Pacemaker would not stop {ids}, as in maintenance mode, or where it does not manage them: nothing has been changed',
  question: 'Stop the service, and remove it from the cluster?',
  stopping: 'stopping',
  stillRuns: 'after {seconds} s these still run: {ids}. They are switched off and stay in the configuration',
  changedMeanwhile:
    'somebody changes the configuration all the time; the service is stopped, and stays in the configuration',
  interruptedEarly: 'interrupted: nothing has been changed',
  interruptedBack: 'interrupted: the service is switched on again, and starts',
  interruptedLate: 'interrupted, and done all the same: the cluster has nothing of it any more',
  interruptedOff: 'interrupted: THE SERVICE STAYS SWITCHED OFF, or nobody knows. What switches it on:',
  removed: 'The cluster has nothing of it any more.',
  stays:
    'What stays: {files}, DRBD’s meta-data and the data. Read it: mount -o ro {device} {directory}, after drbdadm up {resource}; drbdadm primary {resource}. tsha apply brings all of it back.',
};

const chinese: typeof english = {
  nothing: '集群中没有 {file} 的任何内容。',
  goes: '{file} 中的以下内容将从集群移除：',
  ends: '服务将结束。数据保留在两块磁盘上：{disks}',
  stranger: '{id} 在组 {group} 中，但不在文件里：请先把它移出该组。没有改动任何东西',
  shortened: '为其中的其他资源保留',
  undecided: '集群没有仲裁或没有 DC，不会停止任何东西：没有改动任何东西',
  wouldStay: 'Pacemaker 不会停止 {ids}（例如处于维护模式，或不受其管理）：没有改动任何东西',
  question: '停止服务并将其从集群移除吗？',
  stopping: '正在停止',
  stillRuns: '{seconds} 秒后仍在运行：{ids}。它们已被关闭，仍留在配置中',
  changedMeanwhile: '一直有人在改动配置；服务已停止，仍留在配置中',
  interruptedEarly: '已中断：没有改动任何东西',
  interruptedBack: '已中断：服务已重新打开，正在启动',
  interruptedLate: '已中断，但已经完成：集群中已没有它的任何内容',
  interruptedOff: '已中断：服务仍处于关闭状态，或状态不明。重新打开用：',
  removed: '集群中已没有它的任何内容。',
  stays:
    '保留的内容：{files}、DRBD 元数据和数据。读取：drbdadm up {resource}; drbdadm primary {resource} 之后 mount -o ro {device} {directory}。tsha apply 可全部恢复。',
};

export const removeWords = (language: Language): typeof english => (language === 'zh' ? chinese : english);
