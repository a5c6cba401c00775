/**
 * How a process learns that another has written. SQLite does not tell; a writer touches the file after its commit,
 * inotify tells all who watch it, and they ask SQLite whether anything is new. The log is not watched instead: it is
 * written before the commit is visible. A writer that was killed in between is noticed by the timer, and so is one that
 * knows nothing of this (the program `sqlite3`). When idle nothing is written, and little is read.
 */
import { type FSWatcher, utimesSync, watch } from 'node:fs'

/** How often to ask without having been told, in milliseconds: when told otherwise, and when inotify has no watch left. */
const seldom = 1000
const often = 20

/** Tells that a file may have changed, for as long as anybody wants to know. */
export class Notice {
  readonly #path: string
  /** Asks what is new, and says which file it is now. */
  readonly #ask: () => string | undefined
  readonly #watchFile: typeof watch
  #wanted = 0
  #isStopped = false
  #watcher: FSWatcher | undefined
  #watched: string | undefined
  #timer: NodeJS.Timeout | undefined

  /** @param watchFile Node's own; where inotify has no watch left it throws. */
  constructor(path: string, ask: () => string | undefined, watchFile: typeof watch = watch) {
    this.#path = path
    this.#ask = ask
    this.#watchFile = watchFile
  }

  /** Begins to tell; ends when everyone who has called it has called what it returned. */
  want(): () => void {
    if (this.#wanted++ === 0) this.#look()
    let isOver = false
    return () => {
      if (isOver) return
      isOver = true
      if (--this.#wanted === 0) this.#end()
    }
  }

  /** Tells others; a failure is made good by their timers. */
  touch(): void {
    try {
      const now = new Date()
      utimesSync(this.#path, now, now)
    } catch {}
  }

  /** For good. A watch that nobody reads any more would otherwise keep the process alive. */
  stop(): void {
    this.#isStopped = true
    this.#end()
  }

  #end(): void {
    clearTimeout(this.#timer)
    this.#watcher?.close()
    this.#watcher = undefined
    this.#watched = undefined
  }

  #look(): void {
    if (this.#isStopped || this.#wanted === 0) return
    clearTimeout(this.#timer)
    const file = this.#ask()
    // A watch is on a file, not on its name. What came before the watch is not told by it.
    if ((file !== this.#watched || !this.#watcher) && this.#watch(file)) this.#ask()
    this.#timer = setTimeout(() => this.#look(), this.#watcher ? seldom : often)
  }

  #watch(file: string | undefined): boolean {
    this.#watcher?.close()
    this.#watcher = undefined
    this.#watched = file
    if (file === undefined) return false
    try {
      const watcher = this.#watchFile(this.#path, () => this.#look())
      watcher.on('error', () => {
        watcher.close()
        if (this.#watcher === watcher) this.#watcher = undefined
      })
      this.#watcher = watcher
      return true
    } catch {
      // No watch is left, or the file is just being replaced: the timer looks again.
      return false
    }
  }
}
