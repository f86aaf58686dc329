import type { Kind } from '../kind.ts';
import { agentKinds } from './agents.ts';
import { configurationKinds } from './configuration.ts';
import { daemonKinds } from './daemons.ts';
import { diskKinds } from './disks.ts';
import { handKinds } from './hands.ts';
import { helperKinds } from './helpers.ts';
import { judgeKinds } from './judges.ts';
import { linkKinds } from './links.ts';
import { machineKinds } from './machine.ts';
import { nodeKinds } from './nodes.ts';

export const allKinds: readonly Kind[] = [
  ...nodeKinds,
  ...linkKinds,
  ...diskKinds,
  ...helperKinds,
  ...daemonKinds,
  ...agentKinds,
  ...handKinds,
  ...configurationKinds,
  ...machineKinds,
  ...judgeKinds,
];
