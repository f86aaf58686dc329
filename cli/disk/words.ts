import type { Language } from '../output/terminal.ts';

const english = {
  absent: '{path} is not there',
  noBlockDevice: '{path} is no block device',
  used: '{path} is in use: {by}',
  marked: '{path} holds something, by what is known and at which byte: {marks}',
  written: '{path} holds data that nobody has marked, at byte {at}',
  empty: '{path} holds nothing that a look at its whole length shows: {size}',
  notLooked: '{path} has not been looked at: {why}',
};

const chinese: typeof english = {
  absent: '没有 {path}',
  noBlockDevice: '{path} 不是块设备',
  used: '{path} 正在使用：{by}',
  marked: '{path} 上已有内容（类型和字节位置）：{marks}',
  written: '{path} 在字节 {at} 处有未标记的数据',
  empty: '{path} 全长抽样检查未见任何内容：{size}',
  notLooked: '没有查看 {path}：{why}',
};

export const diskWords = (language: Language): typeof english => (language === 'zh' ? chinese : english);
