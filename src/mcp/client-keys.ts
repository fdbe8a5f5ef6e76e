/** Arguments that some clients add to every tool by themselves; taken off before anything else looks. */
export const CLIENT_KEYS = ['wait_for_previous'] as const;
