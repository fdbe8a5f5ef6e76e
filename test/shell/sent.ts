import { launchText } from '../../src/ssh/command/launch.ts';
import { createMarks } from '../../src/ssh/command/mark.ts';

const mark = createMarks(bytes => Buffer.alloc(bytes, 1))();

/** Canonical text as a login shell is really sent it. */
export const sent = (canonical: string): string => launchText({ program: { canonical }, env: {}, mark }, 'other');
