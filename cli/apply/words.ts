import type { Language } from '../output/terminal.ts';

const english = {
  same: 'The cluster is as {file} says. Nothing to do.',
  difference: '{file} and the cluster differ:',
  willDo: 'Pacemaker will:',
  nothingMoves: 'Nothing that runs is stopped, restarted or moved.',
  interrupts: 'THE SERVICE IS INTERRUPTED: {resources}',
  elsewhere:
    'run this on {node}, where they are served before the cluster hears of them, and nobody is interrupted',
  migrateInstead: 'whose agents they are changes without an interruption by tsha migrate --to={to}, first',
  ahead: 'New exports are served before the cluster hears of them: its first look finds them running.',
  question: 'Apply this?',
  notVerified: 'Pacemaker would not take it, nothing has been changed: {why}',
  otherNodes: 'the file names {file}, and this cluster has {cluster}: nothing has been changed',
  changedMeanwhile:
    'somebody has changed the configuration meanwhile; nothing has been changed by this. Look again',
  busy: 'the cluster changes its status all the time; nothing has been changed',
  notKnownWhether:
    'whether the cluster has taken the new configuration is not known, and new exports are served here all the same: {why}',
  unanswered: 'cibadmin --patch has no answer',
  switchedOff: 'but it is switched off: {ids}',
  notServed: 'the export {id} cannot be served here, nothing has been changed: {why}',
  applied: 'the configuration is in the cluster',
  running: 'All of it runs on {node}.',
  notRunning: 'not everything runs after {seconds} s; the new configuration stays',
  inMaintenance: 'the cluster is in maintenance: nothing starts until that ends',
  mismatch:
    'the difference does not lead to what the file says, as with comments in the CIB; nothing has been changed',
};

const chinese: typeof english = {
  same: '集群与 {file} 一致。无需操作。',
  difference: '{file} 与集群不同：',
  willDo: 'Pacemaker 将会：',
  nothingMoves: '正在运行的资源不会停止、重启或移动。',
  interrupts: '服务会中断：{resources}',
  elsewhere: '请在 {node} 上运行：那里会在集群得知之前先提供新的导出，不会中断任何人',
  migrateInstead: '先用 tsha migrate --to={to} 更换代理，不会中断服务',
  ahead: '新的导出在集群得知之前就已提供：集群第一次查看时它们已在运行。',
  question: '应用吗？',
  notVerified: 'Pacemaker 不接受，没有改动任何东西：{why}',
  otherNodes: '文件中是 {file}，而集群中是 {cluster}：没有改动任何东西',
  changedMeanwhile: '期间有人改动了配置；本命令没有改动任何东西。请重新查看',
  busy: '集群状态一直在变；没有改动任何东西',
  notKnownWhether: '不知道集群是否已接受新配置，新的导出在这里照常提供：{why}',
  unanswered: 'cibadmin --patch 没有回应',
  switchedOff: '但已被关闭：{ids}',
  notServed: '导出 {id} 无法在这里提供，没有改动任何东西：{why}',
  applied: '配置已提交给集群',
  running: '全部在 {node} 上运行。',
  notRunning: '{seconds} 秒后仍未全部运行；新配置保留',
  inMaintenance: '集群处于维护模式：结束前不会启动任何资源',
  mismatch: '差异得不到文件所写的结果（例如 CIB 中有注释）；没有改动任何东西',
};

export const applyWords = (language: Language): typeof english => (language === 'zh' ? chinese : english);
