/** Starts a Docker Engine if none is there, and builds the image of the hosts that tests work on, once. */
import { hostImage } from './testing/host-image.ts'

console.log(await hostImage(console.log))
