/** The last second that version 3 of SFTP can say (draft-ietf-secsh-filexfer-02 section 5). */
const LAST = 2 ** 32 - 1;

/** Milliseconds as the whole seconds that both sides can hold. */
export const secondsOf = (ms: number): number => Math.min(LAST, Math.max(0, Math.floor(ms / 1_000)));
