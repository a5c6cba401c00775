import { fileKinds } from '../test/file-kinds.ts'
import { localStage } from '../test/local-stage.ts'

fileKinds(localStage)
