/** Whose calls they are when nobody says: the person at this machine. */
export const LOCAL_GRANT = 'local';

/** What a grant may be called: it stands in audit lines and in the keys of counters. */
export const isGrantName = (text: string): boolean => /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(text);
