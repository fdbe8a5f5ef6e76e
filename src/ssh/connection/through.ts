import type { Link } from './link.ts';

/** A link for somebody who needs that very one, not closed for being idle until it is given back. */
export type Lent = Pick<Link, 'isOpen' | 'onClosed' | 'forward' | 'listen'> & { readonly giveBack: () => void };

/** What leads links to other hosts through one, or lends it, and knows whether any of that is not over. */
export type Through = { readonly link: () => Link; readonly lend: () => Lent; readonly busy: () => boolean };

/** Lets other links be led through this one; `used` is called when one of them was or is over. */
export const leadThrough = (link: Link, used: () => void): Through => {
  let uses = 0;
  const over = (): void => {
    uses--;
    used();
  };
  const forward: Link['forward'] = async (address, port) => {
    uses++;
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
    lend: () => {
      const { isOpen, onClosed, forward, listen } = link;
      let out = true;
      uses++;
      const giveBack = (): void => {
        if (out) over();
        out = false;
      };
      return { isOpen, onClosed, forward, listen, giveBack };
    },
    busy: () => uses > 0,
  };
};
