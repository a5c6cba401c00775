/** The patterns of OpenSSH (ssh_config(5), "PATTERNS"), which its configuration and its known_hosts files share. */

/** Whether a text is what a pattern says: `*` stands for any characters, `?` for exactly one. */
export function matchesPattern(text: string, pattern: string): boolean {
  let [at, cursor] = [0, 0]
  // Where to go on when what follows the last `*` does not fit after all.
  let [star, resume] = [-1, 0]
  while (at < text.length) {
    if (pattern[cursor] === '*') {
      star = cursor++
      resume = at
    } else if (pattern[cursor] === '?' || (cursor < pattern.length && pattern[cursor] === text[at])) {
      at++
      cursor++
    } else if (star >= 0) {
      cursor = star + 1
      at = ++resume
    } else return false
  }
  while (pattern[cursor] === '*') cursor++
  return cursor === pattern.length
}

/**
 * Whether one of several patterns fits and none that begins with `!` does. A negated pattern alone never makes a match:
 * `!a` does not fit `b`, `!a` beside `*` does.
 */
export function matchesPatterns(text: string, patterns: readonly string[]): boolean {
  let matched = false
  for (const pattern of patterns) {
    if (!pattern.startsWith('!')) matched ||= matchesPattern(text, pattern)
    else if (matchesPattern(text, pattern.slice(1))) return false
  }
  return matched
}

/** As {@link matchesPatterns}, for host names: a list with commas, case does not matter. */
export function matchesHostList(host: string, list: string): boolean {
  return matchesPatterns(host.toLowerCase(), list.toLowerCase().split(','))
}
