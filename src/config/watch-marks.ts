import { dirname } from 'node:path';
import { markOf, POLL_MS, SETTLE_MS, type Senses, senses } from './watch.ts';

/** How many files and folders stand, as text: any change of any of them makes another. */
export const marksOf = (paths: readonly string[]): string => paths.map(path => `${path} ${markOf(path)}`).join('\n');

/** So many folders are listened to; the others are looked at from time to time. */
const MOST_FOLDERS = 32;

/**
 * Tells each time that one of the files that `standing` names is another than it was when `standing` was written, once they
 * stand still; `standing` is asked anew after each. The result ends it.
 */
export const watchMarks = (
  standing: () => { readonly paths: readonly string[]; readonly marks: string },
  changed: () => void,
  by: Senses = senses,
): (() => void) => {
  let stops: (() => void)[] = [];
  let callOff: (() => void) | undefined;
  let listened = '';
  let told = '';
  const listen = (paths: readonly string[]): void => {
    const folders = [...new Set(paths.map(path => dirname(path)))].slice(0, MOST_FOLDERS);
    if (folders.join('\n') === listened) return;
    listened = folders.join('\n');
    for (const stop of stops) stop();
    stops = folders.flatMap(folder => by.folder(folder, stir, () => undefined) ?? []);
  };
  const look = (before: string | undefined): void => {
    callOff = undefined;
    const { paths, marks } = standing();
    listen(paths);
    const now = marksOf(paths);
    if (now === marks || now === told) return;
    if (now !== before) {
      callOff = by.after(SETTLE_MS, () => look(now));
      return;
    }
    // What is not taken is told once, not at every look.
    told = now;
    changed();
  };
  const stir = (): void => {
    if (callOff === undefined) look(undefined);
  };
  const stopPolling = by.every(POLL_MS, stir);
  stir();
  return () => {
    stopPolling();
    callOff?.();
    callOff = () => undefined;
    for (const stop of stops.splice(0)) stop();
  };
};
