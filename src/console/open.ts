import { answerWith, type ControlParts } from './control.ts';
import { type Listener, type ListenerParts, listen } from './listener.ts';

/** What a control socket needs: a place, and what may be seen and ended there. */
export type OpenParts = Omit<ListenerParts, 'answer'> & ControlParts;

/** Opens the control socket of this process; throws as `listen` does. */
export const openControl = (parts: OpenParts): Promise<Listener> => listen({ ...parts, answer: answerWith(parts) });
