import { heard } from '../sftp/heard.ts';
import type { Attributes } from '../sftp/sftp.ts';
import { splitPath } from './path.ts';
import { type Ground, look, lookAt } from './place.ts';

/** What there is to see of a place before a file is put there; each rejects by itself as `look` does. */
export type Survey = {
  /** What lies there. */
  readonly there: Promise<Attributes | undefined>;
  /** Bytes that there is room for, where the host says that. */
  readonly room: Promise<number | undefined>;
  /** The permission bits of its folder. */
  readonly folderMode: Promise<number | undefined>;
};

/** Looks at a path in one burst. */
const survey = (ground: Ground, path: string): Survey => {
  const { folder } = splitPath(path);
  return {
    there: heard(lookAt(ground, path)),
    room: heard(look(ground, path, ground.sftp.room(folder))),
    folderMode: heard(look(ground, folder, ground.sftp.stat(folder)).then(({ mode }) => mode)),
  };
};

/**
 * Surveys a path as it was asked for, right behind the question where it leads: where it leads to itself, that saves a round trip.
 * What it gives surveys the real path, when that is known.
 */
export const surveyAhead = (ground: Ground, asked: string): ((path: string) => Survey) =>
  ahead(asked, path => survey(ground, path));

/** The same of what lies there alone. */
export const lookAhead = (ground: Ground, asked: string): ((path: string) => Promise<Attributes | undefined>) =>
  ahead(asked, path => heard(lookAt(ground, path)));

const ahead = <T>(asked: string, see: (path: string) => T): ((path: string) => T) => {
  if (!asked.startsWith('/')) return see;
  const seen = see(asked);
  return path => (path === asked ? seen : see(path));
};
