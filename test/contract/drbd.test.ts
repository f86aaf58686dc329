import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { agentOf, type Env, run, sandbox } from './call.ts';
import { flavours } from './flavours.ts';

// Cases of drbd that only the built executable can show.

describe.each(flavours)('%s', (flavour) => {
  const file = agentOf(flavour, 'drbd');

  test('drbd#104 meta-data with nothing installed and an empty environment', async () => {
    const { code, stdout, stderr } = await run(['/usr/bin/env', '-i', file, 'meta-data']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('<resource-agent name="drbd"');
  });

  test('drbd#186 two agents of one resource: the parameter is declared unique, so that pcs and crmsh warn', async () => {
    const { stdout } = await run([file, 'meta-data']);
    expect(stdout).toMatch(/<parameter name="drbd_resource" unique-group="resource" unique="1" required="1"/);
  });

  test('drbd#174 a notification for which there is nothing to do starts no runtime', async () => {
    const dir = sandbox();
    const alone = join(dir, 'drbd');
    // The launcher without what it launches.
    writeFileSync(
      alone,
      readFileSync(file, 'utf8').replace(/^runtime=.*$/m, 'runtime=/nonexistent; trap - EXIT; exit 77'),
      {
        mode: 0o755,
      },
    );
    const told = (type: string, operation: string, more: Env = {}) =>
      run([alone, 'notify'], {
        OCF_RESKEY_CRM_meta_notify_type: type,
        OCF_RESKEY_CRM_meta_notify_operation: operation,
        ...more,
      });
    for (const operation of ['stop', 'promote', 'demote']) {
      expect((await told('pre', operation)).code).toBe(0);
      expect((await told('post', operation)).code).toBe(77);
    }
    expect((await told('pre', 'start')).code).toBe(77);
    expect((await told('pre', 'promote', { OCF_RESKEY_trace_ra: '1' })).code).toBe(77);
    expect((await run([alone, 'monitor'])).code).toBe(77);
  });

  test('drbd#102 no argument: usage and 3; of several the first counts', async () => {
    const none = await run([file]);
    expect(none.code).toBe(3);
    expect(none.stderr).toContain('usage: drbd {');
    const several = await run([file, 'frobnicate', 'monitor']);
    expect(several.code).toBe(3);
    expect(several.reason).toContain('frobnicate');
  });
});
