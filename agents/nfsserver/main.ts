import { main } from '../../lib/ocf/main.ts';
import { nfsserver } from './agent.ts';

main(nfsserver);
