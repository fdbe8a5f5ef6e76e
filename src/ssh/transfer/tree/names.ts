import { Failure } from '../../../errors.ts';
import { bytesOf } from '../../../text/byte-name.ts';
import { TREE_LIMITS } from './limits.ts';

/** C0, DEL and C1: a name with one may look like another, and no terminal shows it as it is. */
const CONTROLS = /[\u0000-\u001f\u007f-\u009f]/;

/** Why an entry of a folder cannot be copied under its name, or undefined when it can; `path` is what it would be below the tree's root. */
export const nameFault = (name: string, path: string): Failure | undefined => {
  if (name === '' || name === '.' || name === '..' || name.includes('/') || name.includes('\0'))
    return fault('Its name is none that a file can have.');
  if (CONTROLS.test(name)) return fault('Its name holds control characters.');
  if (bytesOf(name).length > TREE_LIMITS.nameBytes) return fault('Its name is too long.');
  if (path.length > TREE_LIMITS.pathBytes || bytesOf(path).length > TREE_LIMITS.pathBytes)
    return fault('Its path is too long.');
  return undefined;
};

const fault = (message: string): Failure => new Failure('FILE_FAILED', message, { next: 'Give it another name.' });

/** The path of a name below another path of the tree, whose root is empty. */
export const below = (path: string, name: string): string => (path === '' ? name : `${path}/${name}`);

/**
 * Whether a link that lies `depth` folders below the tree's root leads to something inside it, wherever the tree is: it goes up no further
 * than the root, and never up again once it has gone down. What it goes down through may be links, and those obey the same rule.
 */
export const staysInside = (target: string, depth: number): boolean => {
  if (target === '' || target.startsWith('/') || CONTROLS.test(target)) return false;
  if (bytesOf(target).length > TREE_LIMITS.pathBytes) return false;
  const steps = target.split('/').filter(step => step !== '' && step !== '.');
  const ups = steps.findIndex(step => step !== '..');
  if (ups === -1) return steps.length <= depth;
  return ups <= depth && !steps.includes('..', ups);
};

const PART = /^\..*\.sallyport-([0-9a-f]{16})-[0-9a-f]{8}\.part$/s;

/** Whether a name is that of a file which a transfer of ours has not finished (`part.ts`). */
export const isPart = (name: string): boolean => PART.test(name);

/** The key in the name of a part; empty when it is none. */
export const keyOfPart = (name: string): string => PART.exec(name)?.[1] ?? '';
