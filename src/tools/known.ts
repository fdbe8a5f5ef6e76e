import { safeParse } from 'zod';
import { KNOWN, type Known, type ReadArguments } from '../policy/tool-names.ts';
import { TOOLS } from './index.ts';

/** Every argument as its tool reads it, defaults filled in; one that the tool would refuse stands as it is written. */
const read: ReadArguments = (name, args, host) => {
  const tool = TOOLS.find(each => each.name === name);
  if (tool === undefined) return { host, ...args };
  const given = 'host' in tool.input.shape ? { host, ...args } : args;
  const parsed = Object.entries(tool.input.shape).flatMap(([key, schema]) => {
    const { success, data } = safeParse(schema, Object.hasOwn(given, key) ? given[key] : undefined);
    return success && data !== undefined ? [[key, data] as const] : [];
  });
  return { ...given, ...Object.fromEntries(parsed) };
};

/** What a document may speak of, its tests judging by the same arguments as calls to this server are judged by. */
export const SERVED: Known = { ...KNOWN, read };
