import { memoryStore } from '../../src/state/memory.ts';
import { storeSuite } from './store.suite.ts';

storeSuite('memory', async clock => memoryStore(clock));
