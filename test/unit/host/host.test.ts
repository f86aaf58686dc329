import { expect, test } from 'vitest';
import { commandTrouble } from '../../../lib/host/host.ts';

const argv = ['mount', '-t', 'cifs', '-o', 'username=u,password=hunter 2', '//nas/x', '/srv/x'] as const;
const output = { code: 32, stdout: '', stderr: 'mount error(13): Permission denied\n' };

test.each([
  [output, 'mount -t cifs -o username=u,password=*** //nas/x /srv/x: mount error(13): Permission denied'],
  [
    { ...output, hung: 'mount in request_wait_answer' },
    '"mount -t cifs -o username=u,password=*** //nas/x /srv/x" did not end (mount in request_wait_answer)',
  ],
])('a command’s trouble names no secret of its options', (of, trouble) => {
  expect(commandTrouble(argv, of)).toBe(trouble);
});
