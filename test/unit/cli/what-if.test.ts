import { describe, expect, test } from 'vitest';
import { whatIf } from '../../../cli/facts/what-if.ts';
import { hostOn } from '../../../lib/host/host.ts';
import { FakeMachine } from '../../fake/machine.ts';

const resource = (id: string, role: string, node: string) =>
  `<resource id="${id}" role="${role}" active="${role !== 'Stopped'}"><node name="${node}"/></resource>`;
const before = `<cluster_status><resources>${resource('Data:0', 'Promoted', 'node1')}${resource('NFS', 'Started', 'node1')}</resources></cluster_status>`;
const after = (
  nfs: string,
) => `<transition><rsc_action task="promote" resource="Data:1" node="node2"/></transition>
<revised_cluster_status><resources>${resource('Data:1', 'Promoted', 'node2')}${resource('NFS', nfs, 'node2')}</resources></revised_cluster_status>`;
const answer = (content: string) => `<pacemaker-result>${content}</pacemaker-result>`;
const modified = '<modifications/><modify_node action="Failing" node="node1"/>';

/** As 2.1 answers, in one; and as 3.0 does, which leaves out what comes after the change. */
function pacemaker(version: '2.1' | '3.0', nfs: string): FakeMachine {
  let saved: string | undefined;
  return new FakeMachine().on('crm_simulate', (args) => {
    const value = (name: string) => args.find((arg) => arg.startsWith(`${name}=`))?.slice(name.length + 1);
    const file = value('--xml-file');
    if (file !== undefined) return file === saved ? answer(before + after(nfs)) : { code: 105 };
    saved = value('--save-input');
    if (saved !== undefined) return '';
    return answer(before + modified + (version === '2.1' ? after(nfs) : ''));
  });
}

describe('the loss of a node', () => {
  test.each(['2.1', '3.0'] as const)('Pacemaker %s', async (version) => {
    const host = (nfs: string) => hostOn(pacemaker(version, nfs), 60_000);
    expect(await whatIf(host('Started'), 'node1')).toEqual({
      actions: ['promote Data:1 node2'],
      lost: [],
    });
    expect((await whatIf(host('Stopped'), 'node1')).lost).toEqual(['NFS']);
  });

  test('neither answers: that is said', async () => {
    const machine = new FakeMachine().on('crm_simulate', () => answer(before + modified));
    await expect(whatIf(hostOn(machine, 60_000), 'node1')).rejects.toThrow(/told only a part/);
  });
});
