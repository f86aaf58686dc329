import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { projectFolder } from '../../packaging/products.ts';
import { agents } from '../contract/agents.ts';
import { onCopy } from './machine.ts';

const packages = join(projectFolder, 'dist/packages');

test('ocft, of resource-agents, finds the cases of every agent in the package, and all pass', async () => {
  const script = readdirSync(packages).find((name) => name.endsWith('_all.deb')) ?? 'missing';
  const { code, stdout, stderr } = await onCopy(
    `ins ${script}
    ocft=/usr/share/resource-agents/ocft
    # it looks once a second whether an agent has ended
    sed -i 's|sleep 1$|timeout 1 tail --pid=$pid -s 0.02 -f /dev/null|' $ocft/caselib
    mkdir -p /run/resource-agents
    for agent in ${agents.join(' ')}; do
      ocft make tsha-$agent >/dev/null
      ocft test -v tsha-$agent 2>&1 || echo "FAILED $agent"
      echo "written: $(grep -c '^CASE ' $ocft/configs/tsha-$agent)"
    done`,
    { packages },
  );
  const lines = stdout.split('\n');
  const written = lines.flatMap((line) => /^written: (\d+)/.exec(line)?.[1] ?? []).map(Number);
  expect([code, stderr, lines.filter((line) => /FAILED|ERROR: /.test(line))], stdout).toEqual([0, '', []]);
  expect(written).toHaveLength(agents.length);
  expect(lines.filter((line) => line.startsWith("Starting '"))).toHaveLength(
    written.reduce((sum, each) => sum + each, 0),
  );
}, 900_000);
