/** The kinds of Score on real files: the same contract as in memory, killed at every call of the machine. */
import { chmodSync, lchownSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { asset, secret } from '@harmony-iac/core'
import { scoreConformance } from '@harmony-iac/core/testing'
import { Directory, File, Symlink } from '@harmony-iac/scores'
import { describe, test } from 'vitest'
import type { LocalStage } from './local-stage.ts'

// Only root may give things away. Everybody else can say that a thing is theirs, and nobody can disturb that.
const isRoot = process.geteuid?.() === 0
const owner = isRoot ? 4711 : (process.geteuid?.() ?? 0)
const group = isRoot ? 4712 : (process.getegid?.() ?? 0)

type Deeds = Readonly<Record<string, (stage: LocalStage) => void>>

function ownership(path: string): Deeds {
  if (!isRoot) return {}
  return {
    owner: (stage) => lchownSync(stage.at(path), 0, group),
    group: (stage) => lchownSync(stage.at(path), owner, 0),
  }
}

function exemptions(more: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const given = 'only root can give a thing away'
  return isRoot ? more : { ...more, owner: given, group: given }
}

/** Holds them to it, on stages of one sort; to all of it unless something says which checks are played. */
export function fileKinds(stage: () => LocalStage, isPlayed: (check: string) => boolean = () => true): void {
  describe('File', () => {
    const checks = scoreConformance({
      factory: File,
      topology: stage,
      cases: [
        {
          name: 'text with attributes',
          scores: (stage) => [
            Directory({ path: stage.at('app') }),
            File({ path: stage.at('app/app.conf'), content: 'port = 80\n', mode: '0640', owner, group }),
          ],
          updated: (stage) => [
            Directory({ path: stage.at('app') }),
            File({ path: stage.at('app/app.conf'), content: secret('token'), mode: '0600' }),
          ],
          tampers: {
            '': (stage) => rmSync(stage.at('app/app.conf')),
            path: (stage) => {
              rmSync(stage.at('app/app.conf'))
              symlinkSync('/dev/null', stage.at('app/app.conf'))
            },
            content: (stage) => writeFileSync(stage.at('app/app.conf'), 'port = 81\n'),
            mode: (stage) => chmodSync(stage.at('app/app.conf'), 0o666),
            ...ownership('app/app.conf'),
          },
        },
        {
          name: 'a large asset through a link',
          prepare: (stage) => {
            mkdirSync(stage.at('elsewhere'))
            writeFileSync(stage.at('elsewhere/real'), 'as delivered\n', { mode: 0o604 })
            symlinkSync('elsewhere/real', stage.at('link'))
          },
          scores: (stage) => [
            File({
              path: stage.at('link'),
              content: asset('./big'),
              follow: true,
              adopt: true,
              validate: ['grep', '-q', 'xyz', '{}'],
            }),
          ],
          assets: { './big': 'xyz\n'.repeat(50_000) },
          tampers: {
            follow: (stage) => writeFileSync(stage.at('elsewhere/real'), 'tampered\n'),
          },
        },
        {
          name: 'in place of something else',
          scores: (stage) => [File({ path: stage.at('thing'), content: 'ours\n' })],
          occupied: (stage) => mkdirSync(stage.at('thing'), { mode: 0o711 }),
        },
      ],
      exempt: exemptions({ validate: 'runs while the file is written, and is no property of what is there' }),
    })
    for (const check of checks) if (isPlayed(check.name)) test(check.name, check.run)
  })

  describe('Directory', () => {
    const checks = scoreConformance({
      factory: Directory,
      topology: stage,
      cases: [
        {
          name: 'with attributes and purge',
          scores: (stage) => [
            Directory({ path: stage.at('app'), mode: '0750', owner, group, purge: true, exclude: ['cache'] }),
            File({ path: stage.at('app/declared'), content: 'ours\n' }),
          ],
          updated: (stage) => [Directory({ path: stage.at('app'), mode: '0700', purge: true })],
          occupied: (stage) => writeFileSync(stage.at('app'), 'a file', { mode: 0o600 }),
          tampers: {
            '': (stage) => rmSync(stage.at('app'), { recursive: true }),
            path: (stage) => {
              rmSync(stage.at('app'), { recursive: true })
              symlinkSync('/dev/null', stage.at('app'))
            },
            mode: (stage) => chmodSync(stage.at('app'), 0o777),
            purge: (stage) => {
              mkdirSync(stage.at('app/stray/deep'), { recursive: true })
              writeFileSync(stage.at('app/stray/deep/file'), '')
              symlinkSync('/', stage.at('app/link'))
            },
            ...ownership('app'),
          },
        },
      ],
      exempt: exemptions({ exclude: 'protects what would be purged: nothing can be out of order with it' }),
    })
    for (const check of checks) if (isPlayed(check.name)) test(check.name, check.run)
  })

  describe('Symlink', () => {
    const checks = scoreConformance({
      factory: Symlink,
      topology: stage,
      cases: [
        {
          name: 'to nothing',
          scores: (stage) => [Symlink({ path: stage.at('current'), target: 'releases/7', owner, group })],
          updated: (stage) => [Symlink({ path: stage.at('current'), target: 'releases/8' })],
          occupied: (stage) => writeFileSync(stage.at('current'), 'a file', { mode: 0o600 }),
          tampers: {
            '': (stage) => rmSync(stage.at('current')),
            path: (stage) => {
              renameSync(stage.at('current'), stage.at('moved'))
              rmSync(stage.at('moved'))
            },
            target: (stage) => {
              rmSync(stage.at('current'))
              symlinkSync('releases/6', stage.at('current'))
            },
            ...ownership('current'),
          },
        },
      ],
      exempt: exemptions({}),
    })
    for (const check of checks) if (isPlayed(check.name)) test(check.name, check.run)
  })
}
