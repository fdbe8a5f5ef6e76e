#!/usr/bin/env node
import * as nodeModule from 'node:module';
import { letHeapGrow } from './cli/heap.ts';
import { cacheFolder, takeProcess } from './cli/process.ts';

letHeapGrow();
const io = takeProcess(import.meta.url);

// From Node 22.1 on, in a folder of our own: the default one lies in the shared temporary folder, where others may plant code.
const cache = cacheFolder(io.env);
if (cache !== undefined && 'enableCompileCache' in nodeModule && typeof nodeModule.enableCompileCache === 'function')
  nodeModule.enableCompileCache(cache);

const { run } = await import('./cli/run.ts');
process.exit(await run(process.argv.slice(2), io));
