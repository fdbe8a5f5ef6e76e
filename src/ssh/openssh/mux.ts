import type { Socket } from 'node:net';
import { BrokenMessage, type Fields, fieldsOf, frame, type Part } from '../packet.ts';
import { MSG, PROHIBITED } from './messages.ts';
import { MuxChannel, type Wire } from './mux-channel.ts';

/** What becomes of a channel that was asked for; nothing of the channel is heard before. */
export type Opening = {
  readonly opened: (channel: MuxChannel) => void;
  readonly refused: (reason: number, words: string) => void;
  /** The connection ended first. */
  readonly gone: () => void;
};

/** What may come ahead on one channel: OpenSSH's own, unless the line is long. */
const WINDOW = 2 ** 21;
const PACKET = 32_768;
/** OpenSSH keeps what we have not read yet in a buffer of 128 MiB, and drops what does not fit: less is ever promised. */
const MOST_PROMISED = 96 * 2 ** 20;
const LEAST = 65_536;
/** Numbers of ours, used again when the channel is forgotten. */
const MOST_CHANNELS = 2 ** 16;
const PADDING = 0;

type Slot = { readonly window: number } & ({ readonly opening: Opening } | { readonly channel: MuxChannel });

/** The channels of one proxied connection, over the socket of its master. */
export class Mux {
  readonly #socket: Socket;
  readonly #window: number;
  readonly #slots = new Map<number, Slot>();
  readonly #waiting = new Set<() => void>();
  #open = true;
  #last = 0;
  #promised = 0;

  /** `window` is what a host may send ahead on one channel, at most. */
  constructor(socket: Socket, window = WINDOW) {
    this.#socket = socket;
    this.#window = window;
    socket.on('drain', () => {
      const waiting = [...this.#waiting];
      this.#waiting.clear();
      for (const run of waiting) run();
    });
  }

  get isOpen(): boolean {
    return this.#open;
  }

  has(channel: unknown): channel is MuxChannel {
    return [...this.#slots.values()].some(slot => 'channel' in slot && slot.channel === channel);
  }

  /** Asks for a channel of a kind (RFC 4254 section 5.1). */
  open(kind: string, parts: readonly Part[], opening: Opening): void {
    if (!this.#open) {
      opening.gone();
      return;
    }
    do this.#last = (this.#last + 1) % MOST_CHANNELS;
    while (this.#slots.has(this.#last));
    const share = Math.floor((MOST_PROMISED - this.#promised) / 4);
    const window = Math.max(LEAST, Math.min(this.#window, share));
    this.#slots.set(this.#last, { opening, window });
    this.#promised += window;
    this.#send(MSG.OPEN, [kind, this.#last, window, PACKET, ...parts]);
  }

  /** Takes a message of the host; throws `BrokenMessage`. */
  hear(message: Buffer): void {
    const fields = fieldsOf(message);
    fields.byte();
    const type = fields.byte();
    if (type === MSG.OPEN) this.#refuse(fields);
    if (type < MSG.OPEN_CONFIRMATION) return;
    const ours = fields.number();
    const slot = this.#slots.get(ours);
    if (slot === undefined) throw new BrokenMessage('a message for no channel of ours');
    if ('channel' in slot) slot.channel.hear(type, fields);
    else if (type === MSG.OPEN_CONFIRMATION) this.#begin(ours, slot.opening, slot.window, fields);
    else if (type === MSG.OPEN_FAILURE) {
      const [reason, words] = [fields.number(), fields.text()];
      this.#forget(ours);
      slot.opening.refused(reason, words);
    } else throw new BrokenMessage(`message ${type} for a channel that is not open`);
  }

  /** The connection is over, and with it every channel. */
  lose(): void {
    this.#open = false;
    this.#waiting.clear();
    for (const slot of [...this.#slots.values()]) {
      if ('channel' in slot) slot.channel.lose();
      else slot.opening.gone();
    }
    this.#slots.clear();
  }

  #begin(ours: number, opening: Opening, window: number, fields: Fields): void {
    const [theirs, sendWindow, maxPacket] = [fields.number(), fields.number(), fields.number()];
    if (maxPacket === 0) throw new BrokenMessage('a channel that takes nothing');
    const wire: Wire = {
      send: (type, parts) => this.#send(type, parts),
      drained: run => void this.#waiting.add(run),
      over: () => this.#forget(ours),
    };
    const channel = new MuxChannel(wire, { theirs, sendWindow, maxPacket, window });
    this.#slots.set(ours, { channel, window });
    opening.opened(channel);
  }

  #send(type: number, parts: readonly Part[]): boolean {
    return !this.#open || this.#socket.write(frame(Buffer.of(PADDING, type), parts));
  }

  #forget(ours: number): void {
    this.#promised -= this.#slots.get(ours)?.window ?? 0;
    this.#slots.delete(ours);
  }

  /** Nothing that a host opens towards us is taken, whatever it is. */
  #refuse(fields: Fields): void {
    fields.text();
    this.#send(MSG.OPEN_FAILURE, [fields.number(), PROHIBITED, '', '']);
  }
}
