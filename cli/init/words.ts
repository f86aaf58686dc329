import type { Language } from '../output/terminal.ts';

const english = {
  written: '{file} is written: read it, change it, run what it says',
  isThere: '{file} is there already and stays as it is',
  missing: 'nobody can be asked here: say {flags}',
  nodes: 'Both nodes and the addresses that DRBD replicates over (alpha=10.0.1.1,beta=10.0.1.2)',
  disk: 'The disk below DRBD, on both nodes, which holds nothing (/dev/vg0/nfs)',
  stateDisk:
    "A second one for the server's state, out of clients' reach, 100 MiB (/dev/vg0/nfs-state); nothing: it shares the first",
  directory: 'Where the filesystem is mounted (/srv/nfs)',
  ip: 'The address that clients mount from, with its prefix length (10.0.0.9/24)',
  exports: 'What is exported, to whom (/srv/nfs/home=10.0.0.0/24,10.0.1.0/24), with blanks between several',
};

const chinese: typeof english = {
  written: '{file} 已写好：请阅读、修改，然后运行',
  isThere: '{file} 已存在，保持原样',
  missing: '这里无法询问：请指定 {flags}',
  nodes: '两个节点以及 DRBD 复制所用的地址（alpha=10.0.1.1,beta=10.0.1.2）',
  disk: '两个节点上 DRBD 下层的空磁盘（/dev/vg0/nfs）',
  stateDisk: '第二块空磁盘，放服务器的状态，客户端到不了，100 MiB（/dev/vg0/nfs-state）；不填：与第一块共用',
  directory: '文件系统的挂载位置（/srv/nfs）',
  ip: '客户端挂载的地址，带前缀长度（10.0.0.9/24）',
  exports: '导出什么、给谁（/srv/nfs/home=10.0.0.0/24,10.0.1.0/24），多个之间用空格',
};

export const initWords = (language: Language): typeof english => (language === 'zh' ? chinese : english);
