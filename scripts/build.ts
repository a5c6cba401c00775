/** `npm run build`: stages every package as it is published, in `.pack`. */
import { stagePackages } from './publish/stage.ts'

for (const { folder, manifest } of await stagePackages())
  console.log(`${manifest.name}@${manifest.version}  ${folder}`)
