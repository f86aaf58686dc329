import { stringify } from 'yaml';
import { harmless, type Language } from '../output/terminal.ts';
import type { Drafted } from './draft.ts';

/** What stands above each section. */
const english = {
  head: 'The pair that tsha plan is about. What may stand here: docs/building.md; editors check it by tsha.yaml.schema.json.',
  notes: 'Not said here, and as it is in the cluster:',
  name: 'Ids in the cluster begin with it.',
  provider: 'Whose agents: tsha or stock.',
  nodes: 'As uname -n names them, and the addresses that DRBD replicates over.',
  drbd: 'The device, and the disk below it, whose whole content DRBD takes.',
  filesystem: 'Where it is mounted, on one of the nodes.',
  state: 'The state of the server, where no client reaches it: a second volume of the DRBD resource.',
  address: 'What clients mount from, with its prefix length.',
  nfs: 'Without a lease and a grace period the kernel takes 90 s each.',
  exports: 'An fsid stays the same for ever, and is that of one directory.',
  fencing: 'What switches each node off. No secrets here.',
  meta: 'Of the group.',
  ids: 'Names that the cluster has for it already.',
  accept: 'Findings that are meant to be so, until a day.',
};

type Section = Exclude<keyof typeof english, 'head' | 'notes'>;

const chinese: typeof english = {
  head: 'tsha plan 所描述的一对节点。可写的内容：docs/building.md；编辑器可用 tsha.yaml.schema.json 检查。',
  notes: '以下内容在集群中如此，本文件没有写：',
  name: '集群中的 id 以它开头。',
  provider: '使用谁的代理：tsha 或 stock。',
  nodes: '名字与 uname -n 相同，以及 DRBD 复制所用的地址。',
  drbd: '设备，以及它下层的磁盘；DRBD 占用整个磁盘。',
  filesystem: '在其中一个节点上挂载的位置。',
  state: '服务器的状态，放在客户端到不了的地方：DRBD 资源的第二个卷。',
  address: '客户端挂载的地址，带前缀长度。',
  nfs: '不写租约和宽限期时，内核各用 90 秒。',
  exports: 'fsid 永远不变，每个目录一个。',
  fencing: '关闭每个节点的设备。这里不写机密。',
  meta: '组的属性。',
  ids: '集群中已有的名字。',
  accept: '有意如此的结论，直到某一天。',
};

/** Sections whose entries stand on lines of their own. */
const tall: readonly string[] = ['nodes', 'exports', 'fencing', 'accept'];

/** The draft as a file that people go on writing: a comment above each section, entries on one line. */
export function fileText({ draft, notes }: Drafted, language: Language): string {
  const words = language === 'zh' ? chinese : english;
  const sections = Object.entries(draft).flatMap(([name, value]) => {
    if (value === undefined) return [];
    const comment = words[name as Section];
    const above = comment === undefined ? [] : ['', `# ${comment}`];
    return [...above, ...(tall.includes(name) ? tallSection(name, value) : [`${name}: ${flow(value)}`])];
  });
  const remarks =
    notes.length === 0 ? [] : [`# ${words.notes}`, ...notes.map((note) => `#   ${harmless(note)}`)];
  return `${[`# ${words.head}`, ...remarks, ...sections].join('\n')}\n`;
}

const flow = (value: unknown): string =>
  stringify(value, { collectionStyle: 'flow', lineWidth: 0, flowCollectionPadding: true }).trimEnd();

const tallSection = (name: string, value: unknown): readonly string[] => [
  `${name}:`,
  ...(Array.isArray(value)
    ? value.map((one) => `  - ${flow(one)}`)
    : Object.entries(value as object).map(([key, one]) => `  ${flow(key)}: ${flow(one)}`)),
];
