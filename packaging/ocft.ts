import { catalogue } from '../metadata/catalogue.ts';

// Cases for ocft, the tester of resource-agents, from the declarations: a person's first look at an agent on their machine. They ask and
// change nothing: parameters are judged, and a resource that nobody has is not running.

/** Values of the required parameters, of things that are nowhere. */
const samples: Readonly<Record<string, string>> = {
  drbd_resource: 'tsha-nowhere',
  device: '/dev/disk/by-label/tsha-nowhere',
  directory: '/run/tsha-nowhere',
  fstype: 'ext4',
  ip: '192.0.2.77',
  nfs_shared_infodir: '/run/tsha-nowhere',
  clientspec: '192.0.2.0/24',
  fsid: '77',
  source_host: '192.0.2.77',
};

/** The machine's own NFS server would be found. */
const findsWhatIsThere: readonly string[] = ['nfsserver'];

/** The file of ocft's `configs` for an agent that lies in `agentDir`. */
export function ocftCases(agentDir: string, agentName: string): string {
  const agent = catalogue.find((one) => one.agent.name === agentName)?.agent;
  if (!agent) throw new Error(`there is no agent ${agentName}`);
  const params = Object.entries(agent.params);
  const required = params.filter(([, { required }]) => required).map(([name]) => name);
  const inCase = (title: string, ...lines: readonly string[]): readonly string[] => [
    '',
    `CASE "${title}"`,
    ...['Include prepare', ...lines].map((line) => `\t${line}`),
  ];
  const wrong = params.flatMap(([name, { type }]) =>
    type === 'integer' || type === 'select' ? [[name, type] as const] : [],
  );
  return `${[
    `# ${agentName} of tsha, made of what the agent declares. Nothing is started or stopped.`,
    '',
    'CONFIG',
    `\tAgent ${agentName}`,
    `\tAgentRoot ${agentDir}`,
    '\tHangTimeout 60',
    '',
    'CASE-BLOCK prepare',
    '\tEnv OCF_RESKEY_CRM_meta_interval=0',
    '\tEnv OCF_RESKEY_CRM_meta_timeout=50000',
    ...required.map((name) => `\tEnv OCF_RESKEY_${name}=${samples[name]}`),
    ...inCase('meta-data', 'AgentRun meta-data OCF_SUCCESS'),
    ...inCase('parameters that are right', 'AgentRun validate-all OCF_SUCCESS'),
    ...required.flatMap((name) =>
      inCase(`without ${name}`, `Unenv OCF_RESKEY_${name}`, 'AgentRun validate-all OCF_ERR_CONFIGURED'),
    ),
    ...wrong.flatMap(([name, type]) =>
      inCase(
        `${name} is no ${type === 'integer' ? 'number' : 'word that it may be'}`,
        `Env OCF_RESKEY_${name}=nonsense`,
        'AgentRun validate-all OCF_ERR_CONFIGURED',
      ),
    ),
    ...inCase('an action that no agent has', 'AgentRun nonsense OCF_ERR_UNIMPLEMENTED'),
    ...(findsWhatIsThere.includes(agentName)
      ? []
      : inCase('a resource that nobody has', 'AgentRun monitor OCF_NOT_RUNNING')),
  ].join('\n')}\n`;
}
