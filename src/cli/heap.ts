import { setFlagsFromString } from 'node:v8';

/** How much more than what is alive may be allocated before all of it is looked through, in percent: V8's own figure for large heaps. */
const GROWTH = 300;

/**
 * Lets the heap grow as V8 does by itself on a busy one. Buffers count towards it, though they lie outside: on a heap that has
 * once been idle, bytes that pass through would have all of it collected every ten megabytes, which takes half of the time.
 */
export const letHeapGrow = (): void => setFlagsFromString(`--heap-growing-percent=${GROWTH}`);
