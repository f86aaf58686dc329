import { describe, expect, test } from 'vitest';
import { dropInText } from '../../../../agents/nfsserver/drop-in.ts';

// The server's commands behind what gives them the scope as their node's name. test/contract/drop-in.test.ts has systemd read them.

const file = '/run/tsha-nfs/scope';
const rename = `if [ -e ${file} ]; then cat ${file} > /proc/sys/kernel/hostname || exit 1; fi`;
const wrapped = `/usr/bin/unshare --uts /bin/sh -c '${rename}; exec "$$@"' tsha`;
const verbatim = wrapped.replace('$$', '$');
const called = `/usr/bin/unshare --uts /bin/bash -c '${rename}; exec -a "$$0" "$$@"'`;

const path = '/lib/systemd/system/nfs-server.service';
const commandsOf = (text: string) =>
  dropInText([{ path, text: `[Service]\n${text}\n` }])
    .split('\n')
    .slice(3, -1);

test('nfsserver#88: only the commands in force are wrapped', () => {
  const ours = (name: string) => ({
    path: `/run/systemd/system/nfs-server.service.d/${name}.conf`,
    text: '[Service]\nExecStart=\nExecStart=/usr/bin/unshare --uts x\n',
  });
  const files = [
    { path, text: '[Service]\nExecStartPre=-/usr/sbin/exportfs -r\nExecStart=/old\n' },
    ...['51-tsha-scope', '51-resource-agents-unshare-uts'].map(ours),
    {
      path: '/etc/systemd/system/nfs-server.service.d/override.conf',
      text: "[Service]\nExecStart=\nExecStart=-/bin/sh -c '/usr/sbin/nfsdctl autostart || /usr/sbin/rpc.nfsd'\nExecStart=/usr/sbin/rpc.nfsd \\\n  --debug",
    },
    ours('zzzz-tsha-scope'),
  ];
  expect(dropInText(files).split('\n').slice(1, -1)).toEqual([
    '[Service]',
    'ExecStart=',
    `ExecStart=-${wrapped} /bin/sh -c '/usr/sbin/nfsdctl autostart || /usr/sbin/rpc.nfsd'`,
    `ExecStart=${wrapped} /usr/sbin/rpc.nfsd --debug`,
  ]);
});

describe('S22: a command of the unit', () => {
  test.each<[string, string, readonly string[]]>([
    ['plain', 'ExecStart=/x a', [`${wrapped} /x a`]],
    ['with blanks around', '  ExecStart = /x   a  ', [`${wrapped} /x a`]],
    ['by another name', 'ExecStart=@/x name a', [`${called} name /x a`]],
    ['by another name that is quoted', 'ExecStart=@/x "a name" a', [`${called} "a name" /x a`]],
    ['every prefix', 'ExecStart=-@+/x name', [`-+${called} name /x`]],
    ['in another order', 'ExecStart=!!-/x', [`!!-${wrapped} /x`]],
    ['without variables', 'ExecStart=:/x $A', [`:${verbatim} /x $A`]],
    ['without variables, by another name', 'ExecStart=@:/x n', [`:${called.replaceAll('$$', '$')} n /x`]],
    ['variables and specifiers', `ExecStart=/x \${A} $B %n $$`, [`${wrapped} /x \${A} $B %n $$`]],
    ['several in a line', 'ExecStart=/x ; -/y a ;', [`${wrapped} /x`, `-${wrapped} /y a`]],
    ['semicolons that are none', 'ExecStart=/x \\; ";" a;b', [`${wrapped} /x \\; ";" a;b`]],
    ['a program in quotes', 'ExecStart=-"/a b" c', [`-${wrapped} "/a b" c`]],
    ['quotes in words', `ExecStart=/x a'b "c'd "e'f" 'g\\'h'`, [`${wrapped} /x a'b "c'd "e'f" 'g\\'h'`]],
    ['a comment in a continued line', 'ExecStart=/x \\\n# no \\\n ; nor this\n  a', [`${wrapped} /x a`]],
    [
      'a backslash that continues nothing',
      'ExecStart=/x a\\\\\nExecStart=/y',
      [`${wrapped} /x a\\\\`, `${wrapped} /y`],
    ],
    ['another section', '[Unit]\nExecStart=/x\n[Service]\nExecStart=/y', [`${wrapped} /y`]],
    ['a comment', '#ExecStart=/x\n;ExecStart=/x\nExecStart=/y', [`${wrapped} /y`]],
    ['taken back', 'ExecStart=/x\nExecStart=  \nExecStart=/y', [`${wrapped} /y`]],
  ])('%s', (_what, text, expected) => {
    expect(commandsOf(text)).toEqual(expected.map((command) => `ExecStart=${command}`));
  });

  test.each([
    ['a shell of the user', 'ExecStart=|/x'],
    ['a shell of the user, after others', 'ExecStart=-|/x'],
    ['a prefix in quotes', 'ExecStart="-/x"'],
    ['an end without a beginning', 'ExecStart=/x "a'],
    ['a variable that is none in a program', 'ExecStart=/x$A'],
    ['no name', 'ExecStart=@/x'],
    ['nothing but prefixes', 'ExecStart=-'],
  ])('%s: refused, with the line', (_what, text) => {
    expect(() => commandsOf(text)).toThrow(`the server scope cannot be set, for its unit has ${text}`);
  });

  test('a unit without any', () => {
    expect(() => commandsOf('ExecStart=/x\nExecStart=')).toThrow('has no ExecStart');
  });
});
