/** Does something for 0 to count - 1, so many at a time: 1,000 connections at once would overrun a listen queue. */
export async function each(count: number, atOnce: number, act: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) await act(next++);
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
}
