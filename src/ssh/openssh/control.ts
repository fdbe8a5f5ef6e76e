import type { Socket } from 'node:net';
import { BrokenMessage, fieldsOf, frame, type Part, splitter } from '../packet.ts';
import { after } from '../timer.ts';

/** What a master is asked, and what it answers (OpenSSH's PROTOCOL.mux). */
const MUX = { HELLO: 1, STOP_LISTENING: 0x10000009, PROXY: 0x1000000f, OK: 0x80000001, IS_PROXY: 0x8000000f } as const;
const VERSION = 4;
/** A master that is logged in answers at once, or is stopped. */
const ANSWER_MS = 5_000;
const [STOP, PROXY] = [1, 2];

/**
 * Makes a fresh connection to a master the only one there will be, and a proxied one: from then on the master takes no
 * other, ends by itself with this one, and passes on messages of the connection protocol, which `deliver` gets. Rejects
 * when the master does not, or speaks another protocol; `broken` hears of bytes that keep to none, later on.
 */
export const takeOver = (
  socket: Socket,
  deliver: (message: Buffer) => void,
  broken: (error: BrokenMessage) => void,
): Promise<void> =>
  new Promise((resolve, reject) => {
    let next: number | undefined = MUX.HELLO;
    const tell = (type: number, parts: readonly Part[]): void => void socket.write(frame(uint32(type), parts));
    const answer = (message: Buffer): void => {
      const { number } = fieldsOf(message);
      const [type, value] = [number(), number()];
      if (type !== next || value !== WANTED.get(type)) throw new BrokenMessage('the master refuses to be taken over');
      next = NEXT.get(type);
      if (type === MUX.HELLO) {
        tell(MUX.HELLO, [VERSION]);
        tell(MUX.STOP_LISTENING, [STOP]);
        tell(MUX.PROXY, [PROXY]);
      }
      if (next !== undefined) return;
      callOff();
      resolve();
    };
    const take = splitter(message => (next === undefined ? deliver(message) : answer(message)));
    socket.on('data', chunk => {
      try {
        take(chunk);
      } catch (error) {
        if (!(error instanceof BrokenMessage)) throw error;
        socket.destroy();
        reject(error);
        broken(error);
      }
    });
    const callOff = after(ANSWER_MS, () => socket.destroy());
    socket.on('close', () => {
      callOff();
      reject(new BrokenMessage('the master hung up'));
    });
  });

const NEXT: ReadonlyMap<number, number> = new Map([
  [MUX.HELLO, MUX.OK],
  [MUX.OK, MUX.IS_PROXY],
]);
const WANTED: ReadonlyMap<number, number> = new Map([
  [MUX.HELLO, VERSION],
  [MUX.OK, STOP],
  [MUX.IS_PROXY, PROXY],
]);

const uint32 = (value: number): Buffer => {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(value);
  return bytes;
};
