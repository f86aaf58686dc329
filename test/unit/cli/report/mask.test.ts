import { describe, expect, test } from 'vitest';
import { parseXml } from '../../../../cli/facts/xml.ts';
import { maskFor, secretsIn } from '../../../../cli/report/mask.ts';
import { isSuperLinear } from '../../linear/growth.ts';

const secret = 'hunter2-&<"\'$1-end';
const nothingKnown = maskFor([]);

describe('parameters whose value is a secret', () => {
  test.each([
    ...[
      'passwd',
      'password',
      'passwd_script',
      'password_script',
      'snmp_priv_passwd',
      'snmp_priv_passwd_script',
    ],
    ...['community', 'access_key', 'secret_key', 'api_key', 'apikey', 'token', 'api_token', 'session_token'],
    ...['passphrase', 'sshkey', 'ssh_key', 'key', 'shared-secret', 'shared_key', 'private_key', 'privkey'],
    ...['hexadecimal_kg', 'kg'],
    ...['login_passwd', 'ipmi_password', 'PASSWORD', 'client_secret', 'credentials', 'pin', 'pass'],
  ])('%s', (name) => {
    const xml = `<cib><nvpair id="a" name="${name}" value="a&amp;b-${'x'.repeat(8)}"/><nvpair name="ip" value="10.0.0.9"/></cib>`;
    const [found] = secretsIn(parseXml(xml), '');
    expect(found).toContain('xxxxxxxx');
    const masked = maskFor(secretsIn(parseXml(xml), '')).xml(xml);
    expect(masked).not.toContain('xxxxxxxx');
    expect(masked).toContain('value="10.0.0.9"');
    expect(masked).toMatch(/name="\S+" value="\*\*\*"/);
  });

  test.each([
    ...[
      'ip',
      'username',
      'login',
      'plug',
      'pcmk_host_list',
      'device',
      'monitor',
      'fsid',
      'compass',
      'keyboard',
    ],
    ...['statusfile_prefix', 'target-role', 'passive', 'nfs_shared_infodir', 'spin', 'opinion'],
  ])('%s is none', (name) => {
    const xml = `<cib><nvpair name="${name}" value="plain-value"/></cib>`;
    expect(secretsIn(parseXml(xml), '')).toEqual([]);
    expect(nothingKnown.xml(xml)).toBe(xml);
  });
});

describe('text', () => {
  test.each([
    [
      'fence_ipmilan -l admin -p hunter2 -a bmc: timed out',
      'fence_ipmilan -l admin -p *** -a bmc: timed out',
    ],
    ['fence_x --password=hunter2 --ip=1', 'fence_x --password=*** --ip=1'],
    ['fence_x --password hunter2 --ip=1', 'fence_x --password *** --ip=1'],
    ['password: hunter2', 'password: ***'],
    ['passwd="hunter 2" next', 'passwd=*** next'],
    ["passwd='hunter 2' next", 'passwd=*** next'],
    ['shared-secret "hunter2";', 'shared-secret ***;'],
    ['shared-secret hunter2;', 'shared-secret ***;'],
    ['{"password": "hunter2", "ip": 1}', '{"password": ***, "ip": 1}'],
    ['https://admin:hunter2@bmc.example/redfish', 'https://admin:***@bmc.example/redfish'],
    ['fence_x --password=ab,hunter;ef --ip=1', 'fence_x --password=*** --ip=1'],
    ['https://admin:p@hunter2@bmc/', 'https://admin:***@bmc/'],
    ['shared-secret "a\\"hunter";', 'shared-secret ***;'],
    ['options=user=x,pass=hunter2', 'options=user=x,pass=***'],
    ['SECRET_KEY=hunter2', 'SECRET_KEY=***'],
    ['secret = hunter2', 'secret = ***'],
    ['totem { token: 3000 }', 'totem { token: 3000 }'],
    ['the password is wrong', 'the password is wrong'],
    ['a token was lost', 'a token was lost'],
    ['10.0.0.9 is not configured', '10.0.0.9 is not configured'],
  ])('%s', (text, expected) => {
    expect(nothingKnown.text(text)).toBe(expected);
    expect(nothingKnown.text(text).replaceAll('***', '')).not.toContain('hunter');
  });

  test('a known secret wherever it stands, as it is and as XML has it', () => {
    const mask = maskFor([secret]);
    const xml = "hunter2-&amp;&lt;&quot;'$1-end";
    for (const text of [JSON.stringify({ secret }), secret, `said ${secret}!`, xml, `${secret}${secret}`])
      expect(mask.text(text)).not.toContain('hunter2');
    expect(mask.all({ a: [{ b: secret, c: 7, d: null, e: true }] })).toEqual({
      a: [{ b: '***', c: 7, d: null, e: true }],
    });
  });

  test('one among the options of a mount is known as well', () => {
    const xml = '<cib><nvpair name="options" value="user=x,pass=geheim99,rw"/></cib>';
    expect(secretsIn(parseXml(xml), '')).toEqual(['geheim99']);
    expect(maskFor(secretsIn(parseXml(xml), '')).text('mount said geheim99')).toBe('mount said ***');
  });

  test('DRBD', () => {
    expect(secretsIn(null, 'shared-secret "ab\\"cdEF";')).toEqual(['ab\\"cdEF', 'ab"cdEF']);
    const dump = 'net {\n cram-hmac-alg sha1;\n shared-secret "our secret 1";\n}\n';
    expect(secretsIn(null, dump)).toEqual(['our secret 1']);
    const totem = 'totem {\n  version: 2\n  keyfile: /etc/corosync/authkey\n\tkey: 0ur/k3y==\n}\n';
    expect(secretsIn(null, '', totem)).toEqual(['0ur/k3y==']);
    expect(maskFor(secretsIn(null, '', totem)).text(totem)).toBe(totem.replace('0ur/k3y==', '***'));
    expect(maskFor(secretsIn(null, dump)).text(dump)).toBe(
      'net {\n cram-hmac-alg sha1;\n shared-secret ***;\n}\n',
    );
  });

  test('one that is too short is not looked for in words, and is veiled in its place', () => {
    const xml = '<cib><nvpair name="passwd" value="ab"/><nvpair name="label" value="about"/></cib>';
    expect(maskFor(secretsIn(parseXml(xml), '')).xml(xml)).toBe(
      '<cib><nvpair name="passwd" value="***"/><nvpair name="label" value="about"/></cib>',
    );
  });

  test.each(['password', '//a:', '-p ', '--a-'])('time in proportion to the text: %s', (word) => {
    const work = (text: string) => void nothingKnown.text(text);
    const textOf = (size: number) => word.repeat(Math.ceil(size / word.length));
    expect(isSuperLinear(work, textOf, [500, 20_000])).toBe(false);
  });
});
