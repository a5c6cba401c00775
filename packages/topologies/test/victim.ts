/**
 * A process to be killed: it changes files the way a pass does, ledger included, and dies at the system call it is told
 * to: `node victim.ts FOLDER N before|after`.
 */
import { hostFaults } from '@harmony-iac/core/testing'
import { localHost } from '../src/hosts/local.ts'
import type { Probe } from '../src/hosts/local-folder.ts'
import { linuxFiles } from '../src/linux/files.ts'
import { hostHome } from '../src/linux/home.ts'

/** Makes a change of every kind in `dir/srv`, then takes back what was adopted; what is done already is not redone. */
export async function pass(dir: string, probe?: Probe): Promise<void> {
  const host = localHost({ probe })
  const home = hostHome(host, { uid: 0, gid: 0, home: '/', env: { HARMONY_STATE_DIR: `${dir}/state` } })
  const files = linuxFiles(host, { keepFolder: async () => `${dir}/state/kept` })
  const folder = `${dir}/srv`
  const lock = await home.lock({ holder: 'the victim', waitMs: 0 })
  const journal = text(await home.read('journal'))
  if (!journal.includes('removed')) {
    // What was there before is kept once: the note is written down before anything changes.
    const note = text(await home.read('note')) || JSON.stringify(await files.keep(`${folder}/adopted`))
    await home.replace('note', Buffer.from(note))
    if (!journal.includes('applied')) {
      await home.append('journal', Buffer.from('begin\n'))
      await files.writeFile(`${folder}/adopted`, Buffer.from('ours'), { folder, mode: '0600' })
      await files.writeFile(`${folder}/file`, Buffer.from('new'.repeat(100_000)), { folder, mode: '0640' })
      await files.makeDirectory(`${folder}/directory`, { folder, mode: '0750' })
      await files.makeSymlink(`${folder}/link`, 'new', { folder })
      await files.setAttributes(`${folder}/directory`, { folder, mode: '0711' })
      await home.append('journal', Buffer.from('applied\n'))
    }
    await files.remove(`${folder}/surplus`)
    await files.putBack(`${folder}/adopted`, JSON.parse(note))
    await home.append('journal', Buffer.from('removed\n'))
  }
  for (const file of ['note', 'journal']) await home.remove(file)
  await home.dissolve()
  await lock.release()
}

function text(bytes: Uint8Array | undefined): string {
  return bytes ? Buffer.from(bytes).toString() : ''
}

if (import.meta.main) {
  const [dir = '', at, when] = process.argv.slice(2)
  await pass(dir, hostFaults({ at: Number(at), when: when === 'after' ? 'after' : 'before' }).hit)
}
