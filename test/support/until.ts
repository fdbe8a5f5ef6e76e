/** Resolves once something is so, or throws after ten seconds: for what tells nobody that it came. */
export const untilTrue = async (is: () => boolean | Promise<boolean>): Promise<void> => {
  const until = performance.now() + 10_000;
  while (!(await is())) {
    if (performance.now() > until) throw new Error('it never was so');
    await new Promise(resolve => setTimeout(resolve, 5));
  }
};
