import { describe, expect, test } from 'vitest';
import { isSecretName, veiled, veiledArgument } from '../../../lib/contract/secrets.ts';

test.each([
  ['password', true],
  ['OCF_RESKEY_passwd', true],
  ['OCF_RESKEY_pass', true],
  ['pass2', true],
  ['PASSWD', true],
  ['secretfile', true],
  ['encrypt_key', true],
  ['keyring', true],
  ['OCF_RESKEY_auth_token', true],
  ['compass', false],
  ['keyboard', false],
  ['passive', false],
  ['OCF_RESKEY_fsid', false],
])('%s: %s', (name, expected) => {
  expect(isSecretName(name)).toBe(expected);
});

// Each is masked as a part of a sentence and as one argument of a command; where these differ, the argument comes last.
describe('options', () => {
  test.each([
    ['rw,username=u,password=hunter2', 'rw,username=u,password=***'],
    ['password=hunter2,rw', 'password=***,rw'],
    ['-opass=hunter2,rw', '-opass=***,rw'],
    ['password=hun,,ter2,rw', 'password=***,rw'],
    ['password="hun,ter2",rw', 'password=***,rw'],
    ['password=hun"ter2,rw', 'password=***,rw', 'password=***'],
    ["password=hun'ter;2=,rw", 'password=***,rw'],
    ['name=admin,secret=aGk=,_netdev', 'name=admin,secret=***,_netdev'],
    ['options=password=hunter2', 'options=password=***'],
    ['password=hunter2,password2=hunter2', 'password=***,password2=***'],
    ['password=secret=hunter2', 'password=***'],
    ['password=', 'password='],
    ['the password is wrong', 'the password is wrong'],
    ['curlftpfs#ftp://u:hunter2@host/', 'curlftpfs#ftp://u:***@host/'],
    [
      '"mount -o password=hunter2" did not end',
      '"mount -o password=***" did not end',
      '"mount -o password=***',
    ],
    ['rw,password=hunter 2,ro', 'rw,password=*** 2,ro', 'rw,password=***,ro'],
  ])('%s', (text, expected, argument = expected) => {
    expect(veiled(text)).toBe(expected);
    expect(veiledArgument(text)).toBe(argument);
    expect(veiled(veiledArgument(text))).toBe(argument);
  });
});
