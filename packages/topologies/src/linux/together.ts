/**
 * Waits for several pieces of work, until the last of them has ended also when one has failed: what comes next (removing
 * what they made) must not run into those that go on.
 * @throws what the first of them that failed did.
 */
export async function together<T extends readonly unknown[]>(
  work: T,
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  await Promise.allSettled(work)
  return await Promise.all(work)
}
