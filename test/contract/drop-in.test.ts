import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { dropInText, ourName } from '../../agents/nfsserver/drop-in.ts';
import { run, sandbox } from './call.ts';

// S22: what systemd makes of the server's unit, and of the same unit with the drop-in: the same commands with the same arguments, each
// behind the one that renames its node. systemd itself reads them, in its test mode.

const systemd = '/lib/systemd/systemd';

/** A directory of units in which the server's is all there is to start. */
function unitsWith(service: string, dropIn?: string): string {
  const dir = sandbox();
  chmodSync(dir, 0o755);
  const files: Record<string, string> = {
    'nfs-server.service': `[Unit]\nDefaultDependencies=no\n[Service]\nType=oneshot\n${service}\n`,
    'all.target': '[Unit]\nDefaultDependencies=no\nAllowIsolate=yes\nRequires=nfs-server.service\n',
    'shutdown.target': '[Unit]\nDefaultDependencies=no\n',
    'umount.target': '[Unit]\nDefaultDependencies=no\n',
  };
  if (dropIn !== undefined) files[`nfs-server.service.d/${ourName}`] = dropIn;
  mkdirSync(join(dir, 'nfs-server.service.d'));
  mkdirSync(join(dir, 'runtime'));
  chmodSync(join(dir, 'runtime'), 0o777);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text);
  return dir;
}

/** The command lines of ExecStart, as systemd has read them; `"`-quoted where they need be. */
async function commandsIn(dir: string): Promise<readonly string[]> {
  const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
  const { stdout, stderr } = await run(
    [...nobody, systemd, '--test', '--user', '--unit=all.target', '--no-pager'],
    {
      PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
      XDG_RUNTIME_DIR: join(dir, 'runtime'),
      SYSTEMD_UNIT_PATH: dir,
      SYSTEMD_GENERATOR_PATH: join(dir, 'runtime'),
      SYSTEMD_ENVIRONMENT_GENERATOR_PATH: join(dir, 'runtime'),
      SYSTEMD_LOG_LEVEL: 'err',
      SYSTEMD_LOG_TARGET: 'console',
    },
  );
  const unit = /-> Unit nfs-server\.service:\n(?:(?!\t-> Unit ).*\n)*/.exec(stdout)?.[0] ?? stderr;
  const commands = /\t\t-> ExecStart:\n((?:\t\t\t.*\n)*)/.exec(unit)?.[1] ?? '';
  return [...commands.matchAll(/Command Line: (.*)/g)].map(([, line = '']) => line);
}

/** Behind this stands the command itself; with `exec -a` what it is called comes first. */
const wrapper =
  /^\/usr\/bin\/unshare --uts \/bin\/(?:sh|bash) -c "if \[ -e \/run\/tsha-nfs\/scope \]; then [^"]*; exec (?:-a \\"(\\\$){1,2}0\\" )?\\"(\\\$){1,2}@\\"" /;

test.each<[string, string, (readonly string[])?]>([
  ['plain', 'ExecStart=/usr/sbin/rpc.nfsd 8'],
  ['every prefix', 'ExecStart=-+/usr/bin/true a\nExecStart=!/usr/bin/true b\nExecStart=!!:/usr/bin/true $A'],
  ['by another name', 'ExecStart=@/usr/bin/true name a', ['name /usr/bin/true a']],
  [
    'by a quoted name, other prefixes around',
    'ExecStart=-@:"/usr/bin/true" "a name" a',
    ['"a name" /usr/bin/true a'],
  ],
  ['variables', `Environment=A=1\nExecStart=/usr/bin/true \${A} $A x\${A}y $$A`],
  ['specifiers', 'ExecStart=/usr/bin/true %n %% %i'],
  ['quotes', `ExecStart=/usr/bin/true "a b" 'c "d" e' f'g h'i "\\x41" \\t "\\""`],
  ['semicolons', 'ExecStart=/usr/bin/true a ; -/usr/bin/false \\; ";" b;c ; +/usr/bin/true'],
  ['continued lines', 'ExecStart=/usr/bin/true a \\\n# a comment \\\n   b \\\n  ; another\nc'],
  ['a backslash at the end', 'ExecStart=/usr/bin/true a\\\\\nExecStart=/usr/bin/true b'],
  ['taken back', 'ExecStart=/usr/bin/false\nExecStart=\nExecStart=/usr/bin/true'],
  ['a name without a path', 'ExecStart=true a'],
  ['blanks', '  ExecStart  =   /usr/bin/true    a   '],
])('S22: %s', async (_what, service, expected) => {
  const text = dropInText([
    { path: '/lib/systemd/system/nfs-server.service', text: `[Service]\n${service}\n` },
  ]);
  const before = await commandsIn(unitsWith(service));
  const after = await commandsIn(unitsWith(service, text));
  expect(before.length).toBeGreaterThan(0);
  for (const line of after) expect(line).toMatch(wrapper);
  const behind = after.map((line) => line.replace(wrapper, '').replace(/^tsha /, ''));
  expect(behind).toEqual(expected ?? before);
  const verify = await run(['systemd-analyze', 'verify', '--recursive-errors=no', 'nfs-server.service'], {
    PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
    SYSTEMD_UNIT_PATH: `${unitsWith(service, text)}:`,
  });
  expect(verify).toMatchObject({ code: 0, stderr: '' });
});

test.each([
  ["ExecStart=/bin/sh -c 'uname -n; echo $1 $2' x y z", 'served\ny z\n'],
  ["ExecStart=@/bin/sh name -c 'uname -n; echo $0'", 'served\nname\n'],
])('S22: %s: the drop-in renames the node and runs it by its name', async (service, output) => {
  const text = dropInText([{ path: '/x', text: `[Service]\n${service}` }]);
  const command = /^ExecStart=(.+)$/m.exec(text)?.[1] ?? '';
  const scope = 'mount -t tmpfs tmpfs /run; mkdir /run/tsha-nfs; echo served > /run/tsha-nfs/scope';
  const shell = `${scope}; ${command.replaceAll('$$', '$')}`; // systemd leaves one of two
  const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' };
  expect(await run(['unshare', '-mu', 'sh', '-ec', shell], env)).toMatchObject({ code: 0, stdout: output });
});
