import { expect, test } from 'vitest';
import { configurationChanges } from '../../../lab/faults/mend.ts';

const was = `<configuration>
  <crm_config>
    <cluster_property_set id="cib-bootstrap-options">
      <nvpair id="a" name="stonith-enabled" value="false"/>
      <nvpair id="b" name="dc-version" value="2.1.5"/>
    </cluster_property_set>
  </crm_config>
  <nodes>
    <node id="1" uname="node1"/>
    <node id="2" uname="node2"/>
  </nodes>
  <resources>
    <primitive id="NFS" class="ocf" type="Filesystem"/>
    <primitive id="nfs_ip" class="ocf" type="IPaddr2"/>
  </resources>
</configuration>`;

const stonith = '<nvpair id="a" name="stonith-enabled" value="false"/>';
const maintenance = '<nvpair id="m" name="maintenance-mode" value="true"/>';
const standby = '<nvpair id="s" name="standby" value="on"/>';
const nfs = '<primitive id="NFS" class="ocf" type="Filesystem"/>';
const ip = '<primitive id="nfs_ip" class="ocf" type="IPaddr2"/>';
const setOn1 = (inside: string) =>
  `<node id="1" uname="node1"><instance_attributes id="nodes-1">${inside}</instance_attributes></node>`;
const node1 = '<node id="1" uname="node1"/>';

test.each([
  { what: 'nothing', is: was, changes: [] },
  { what: 'other white space', is: was.replaceAll('\n', '\n  '), changes: [] },
  {
    what: 'what Pacemaker writes by itself',
    is: was
      .replace('2.1.5', '2.1.6')
      .replace(stonith, `${stonith}<nvpair id="l" name="last-lrm-refresh" value="17"/>`),
    changes: [],
  },
  { what: 'a set of nothing', is: was.replace(node1, setOn1('')), changes: [] },
  {
    what: 'a set of nothing, in short',
    is: was.replace(node1, '<node id="1" uname="node1"><instance_attributes id="nodes-1"/></node>'),
    changes: [],
  },
  {
    what: 'maintenance mode',
    is: was.replace(stonith, stonith + maintenance),
    changes: [`now there: ${maintenance}`],
  },
  {
    what: 'a node in standby',
    is: was.replace(node1, setOn1(standby)),
    changes: expect.arrayContaining([`now there: ${standby}`]),
  },
  {
    what: 'another value',
    is: was.replace('value="false"', 'value="true"'),
    changes: [`now there: ${stonith.replace('false', 'true')}`, `gone: ${stonith}`],
  },
  { what: 'a resource that is gone', is: was.replace(ip, ''), changes: [`gone: ${ip}`] },
  { what: 'another order', is: was.replace(nfs, '').replace(ip, ip + nfs), changes: ['in another order'] },
])('the configuration since the first fault: $what', ({ is, changes }) => {
  expect(configurationChanges(was, is)).toEqual(changes);
});
