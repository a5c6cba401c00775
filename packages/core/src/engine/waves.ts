/**
 * Workers that look at things side by side. Reads are not limited by the number of steps; what they hold open is, by
 * whoever holds it. Over a connection fewer workers would cost its latency once for each batch.
 */
const most = 1024
const wave = 64
// More than any answer takes that waits for nothing outside of this process.
const short = 100

/**
 * Starts workers, in waves, until there is nothing left for another one. The first wave goes ahead by as much as needs no
 * waiting: on this machine it then does all the work, with what it has learnt of the folder and without a promise for
 * each thing.
 */
export async function inWaves(worker: () => Promise<void>, isLeft: () => boolean): Promise<void> {
  const begin = async (begun: number): Promise<void> => {
    const workers = Array.from({ length: wave }, worker)
    const next = async () => {
      for (let turn = 0; turn < short; turn++) await Promise.resolve()
      if (begun + wave < most && isLeft()) await begin(begun + wave)
    }
    await Promise.all([...workers, next()])
  }
  await begin(0)
}
