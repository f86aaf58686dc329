import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Element, parseXml, within } from '../../cli/facts/xml.ts';
import { commandName } from '../../packaging/products.ts';
import { pairYaml } from '../unit/cli/configuration/pair.yaml.ts';
import { agentOf, rootOf, run, sandbox } from './call.ts';

// What `tsha plan` prints, run by the real tools on a CIB file: pcs, crmsh and cibadmin make the same cluster of it.

/** The tools look for agents in /usr/lib/ocf only: ours are there for them, and the cluster's own commands work on files. */
const enter = `
  mkdir -p "$2/stock"
  mount --bind /usr/lib/ocf/resource.d "$2/stock"
  mount -t tmpfs tmpfs /usr/lib/ocf/resource.d
  mkdir /usr/lib/ocf/resource.d/tsha
  mount --bind "$1/usr/lib/ocf/resource.d/tsha" /usr/lib/ocf/resource.d/tsha
  for of in heartbeat linbit pacemaker; do
    mkdir /usr/lib/ocf/resource.d/$of
    mount --bind "$2/stock/$of" /usr/lib/ocf/resource.d/$of
  done
  mount -t tmpfs tmpfs /var/log
  mkdir /var/log/crmsh
  mount -t tmpfs tmpfs /root
  cd "$2"
  shift 2
  exec "$@"`;

const path = '/usr/sbin:/usr/bin:/sbin:/bin';
const tool = (dir: string, argv: readonly string[], env = {}) =>
  run(['unshare', '-m', 'sh', '-ec', enter, 'sh', rootOf('script'), dir, ...argv], {
    PATH: path,
    HOME: '/root',
    TERM: 'dumb',
    ...env,
  });

/** What matters of the configuration: no ids of sets and pairs, no defaults, nothing of the order of names. */
function contents(file: string): unknown {
  const cib = parseXml(readFileSync(file, 'utf8'));
  const [resources] = within(cib, 'resources');
  const [constraints] = within(cib, 'constraints');
  const isDefault = ([name, value]: readonly [string, string]) =>
    (name === 'rsc-role' && value === 'Started') || (name === 'kind' && value === 'Mandatory');
  const plain = ({ name, attributes, children }: Element): unknown => {
    const hasName = ['primitive', 'group', 'clone', 'rsc_colocation', 'rsc_order'].includes(name);
    const own = Object.entries(attributes)
      .filter((one) => (one[0] !== 'id' || hasName) && !isDefault(one))
      .sort()
      .map((one) => one.join('='));
    const inner = children
      .filter((child) => !child.name.startsWith('!') && !child.name.startsWith('#'))
      .map(plain);
    const isGroup = name === 'group';
    const sorted = isGroup ? inner : inner.sort((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)));
    const sets = sorted.filter((one) => String((one as unknown[])[0]).startsWith('meta'));
    return [name, own, [...sets, ...sorted.filter((one) => !sets.includes(one))]];
  };
  return [resources, constraints].map((one) => one && plain(one));
}

async function madeBy(as: 'pcs' | 'crm' | 'xml', provider: 'tsha' | 'stock'): Promise<unknown> {
  const dir = sandbox();
  const at = (name: string) => join(dir, name);
  mkdirSync(at('etc'));
  writeFileSync(at('tsha.yaml'), pairYaml.replace('name: nfs', `name: nfs\nprovider: ${provider}`));
  const { stdout: empty } = await run(['cibadmin', '--empty'], { PATH: path });
  writeFileSync(at('cib.xml'), empty);
  const onFile = { CIB_file: at('cib.xml') };
  const unfenced = ['crm_attribute', '-t', 'crm_config', '-n', 'stonith-enabled', '-v', 'false'];
  expect(await tool(dir, unfenced, onFile)).toMatchObject({ code: 0 });
  const printed = await run([agentOf('script', commandName), 'plan', '-c', at('tsha.yaml'), `--as=${as}`], {
    PATH: path,
  });
  expect(printed).toMatchObject({ code: 0, stderr: '' });
  if (as === 'xml') {
    writeFileSync(at('plan.xml'), printed.stdout);
    const load = [
      'cibadmin',
      '--modify',
      '--allow-create',
      '--scope=configuration',
      '--xml-file',
      'plan.xml',
    ];
    expect(await tool(dir, load, onFile)).toMatchObject({ code: 0 });
  } else {
    // as it is printed; only the cluster is a file, and so are the files in /etc
    const script = printed.stdout
      .replaceAll(/^cat > \/etc\/\S+/gm, 'cat > /dev/null')
      .replace(/^pcs cluster cib (\S+)$/m, 'cp cib.xml $1')
      .replace(/^pcs cluster cib-push (\S+) .*$/m, 'cp $1 cib.xml');
    writeFileSync(at('plan.sh'), script);
    const ran = await tool(dir, ['sh', '-e', 'plan.sh'], as === 'crm' ? onFile : {});
    expect(ran, ran.stderr).toMatchObject({ code: 0 });
  }
  const verified = await tool(dir, ['crm_verify', '--xml-file', 'cib.xml', '-V']);
  expect(verified.stdout + verified.stderr).not.toMatch(/error/i);
  return contents(at('cib.xml'));
}

/** A front end takes seconds for each of fifteen commands, and a busy machine lets it wait. */
const patience = 1_800_000;

test.each([
  ['tsha', 'pcs'],
  ['tsha', 'crm'],
  ['stock', 'pcs'],
  ['stock', 'crm'],
] as const)(
  '%s agents: %s makes the same cluster as the XML',
  async (provider, as) => {
    const xml = await madeBy('xml', provider);
    expect(JSON.stringify(xml)).toContain('nfs-export-home-2001-db8-64');
    expect(await madeBy(as, provider)).toEqual(xml);
  },
  patience,
);
