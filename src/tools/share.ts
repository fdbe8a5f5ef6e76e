/**
 * Shares a budget: whoever needs less than the others get has all of it, and what that leaves goes to the rest alike
 * (max-min fair). Whole units; together never more than `total`.
 */
export const shares = (needs: readonly number[], total: number): readonly number[] => {
  const given = needs.map(() => 0);
  let left = Math.max(0, Math.floor(total));
  const inOrder = needs.map((need, index) => ({ need, index })).sort((a, b) => a.need - b.need);
  for (const [place, { need, index }] of inOrder.entries()) {
    const share = Math.min(need, Math.floor(left / (inOrder.length - place)));
    given[index] = share;
    left -= share;
  }
  return given;
};
