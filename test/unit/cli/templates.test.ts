import { describe, expect, test } from 'vitest';
import { readCib } from '../../../cli/facts/cib.ts';
import { parseXml } from '../../../cli/facts/xml.ts';

const template =
  '<template id="t" class="ocf" provider="tsha" type="Filesystem">' +
  '<instance_attributes id="ti"><nvpair id="t1" name="device" value="/dev/drbd1"/><nvpair id="t2" name="fstype" value="xfs"/></instance_attributes>' +
  '<meta_attributes id="tm"><nvpair id="t3" name="is-managed" value="false"/></meta_attributes>' +
  '<operations><op id="t4" name="monitor" interval="20s"/><op id="t5" name="monitor" role="Promoted" interval="19s"/></operations></template>';

const read = (primitive: string, history = '') =>
  readCib(
    parseXml(
      `<cib><configuration><resources>${template}${primitive}</resources></configuration>
       <status><node_state uname="node1"><lrm><lrm_resources>${history}</lrm_resources></lrm></node_state></status></cib>`,
    ),
  );
const recorded = (provider: string) =>
  `<lrm_resource id="fs" class="ocf" provider="${provider}" type="Filesystem"/>`;

// As `crm_resource --query-xml` shows it with Pacemaker 2.1.5.
describe('what a resource has of a template, or refers to', () => {
  test('all of it', () => {
    expect(read('<primitive id="fs" template="t"/>').primitives).toMatchObject([
      {
        ...{ id: 'fs', agent: 'ocf:tsha:Filesystem', type: 'Filesystem' },
        parameters: { device: '/dev/drbd1', fstype: 'xfs' },
        meta: { 'is-managed': 'false' },
        operations: [{ interval: '20s' }, { interval: '19s', role: 'Promoted' }],
      },
    ]);
  });

  test('its own values, and its own operation of the same name and role, take their place', () => {
    const own =
      '<instance_attributes id="i"><nvpair id="n" name="device" value="/dev/drbd2"/></instance_attributes>' +
      '<operations><op id="o" name="monitor" role="Started" interval="5s"/></operations>';
    expect(read(`<primitive id="fs" template="t">${own}</primitive>`).primitives).toMatchObject([
      {
        parameters: { device: '/dev/drbd2', fstype: 'xfs' },
        operations: [{ interval: '5s' }, { interval: '19s', role: 'Promoted' }],
      },
    ]);
  });

  // biome-ignore format: a table
  test.each([
    ['a set',          '<instance_attributes id-ref="ti"/>', { device: '/dev/drbd1', fstype: 'xfs' }],
    ['a value',        '<instance_attributes id="i"><nvpair id-ref="t1"/></instance_attributes>', { device: '/dev/drbd1' }],
    ['a value, under another name', '<instance_attributes id="i"><nvpair id-ref="t1" name="dev"/></instance_attributes>', { dev: '/dev/drbd1' }],
    ['nothing',        '<instance_attributes id-ref="gone"/>', {}],
    ['what holds it',  '<instance_attributes id="i"><instance_attributes id-ref="i"/></instance_attributes>', {}],
  ])('a reference to %s', (_, inside, parameters) => {
    const [one] = read(`<primitive id="fs" class="ocf" provider="tsha" type="Filesystem">${inside}</primitive>`).primitives;
    expect(one?.parameters).toEqual(parameters);
  });

  test.each([
    ['the agent of its template', '<primitive id="fs" template="t"/>', 'tsha', []],
    ['another agent than its template’s', '<primitive id="fs" template="t"/>', 'heartbeat', ['fs']],
    ['an agent that nobody knows', '<primitive id="fs" template="gone"/>', 'tsha', []],
  ])('written down by %s', (_, primitive, provider, stale) => {
    expect(read(primitive, recorded(provider)).outdated.map(({ resource }) => resource)).toEqual(stale);
  });
});
