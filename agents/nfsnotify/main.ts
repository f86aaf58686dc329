import { main } from '../../lib/ocf/main.ts';
import { nfsnotify } from './agent.ts';

main(nfsnotify);
