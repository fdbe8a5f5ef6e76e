import type { Link } from './link.ts';

/** What leads links to other hosts through one, and knows how many there are. */
export type Through = { readonly link: () => Link; readonly busy: () => boolean };

/** Lets other links be led through this one; `used` is called when one of them was or is over. */
export const leadThrough = (link: Link, used: () => void): Through => {
  let streams = 0;
  const over = (): void => {
    streams--;
    used();
  };
  const forward: Link['forward'] = async (address, port) => {
    streams++;
    try {
      const stream = await link.forward(address, port);
      return stream.once('close', over);
    } catch (error) {
      over();
      throw error;
    }
  };
  return {
    link: () => {
      used();
      return { ...link, forward };
    },
    busy: () => streams > 0,
  };
};
