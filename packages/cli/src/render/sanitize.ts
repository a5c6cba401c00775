/**
 * Everything that is printed and came from outside passes through here: file contents, paths, program output, messages
 * of compilers and hosts. What a terminal would obey, or what would make text look like something else, is made
 * visible instead: control characters (escape sequences with them), bidirectional overrides ("Trojan Source",
 * CVE-2021-42574), invisible characters. Removing them was rejected: a diff must show what is there.
 */

// Control (Cc) and format characters (Cf), line and paragraph separators, lone surrogates. The joiners U+200C and U+200D
// stay: scripts and emoji are written with them, and they hide nothing.
const dangerous = /(?![\n\t\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu

/** Text of several lines, harmless: line feeds and tabs stay. */
export function sanitize(text: string): string {
  // Nearly all text is clean, and a test costs less than a replacement.
  return text.search(dangerous) < 0 ? text : text.replace(dangerous, show)
}

/** One line, harmless: line feeds and tabs are made visible as well. */
export function sanitizeLine(text: string): string {
  return sanitize(text).replaceAll('\n', '␊').replaceAll('\t', '␉')
}

/** JSON that a terminal shows as it is: the same characters as escapes, which JSON has of its own. */
export function jsonText(value: unknown, indent?: number): string {
  const text = JSON.stringify(value, undefined, indent)
  return text.search(dangerous) < 0 ? text : text.replace(dangerous, escaped)
}

function escaped(character: string): string {
  return character
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('')
}

/** Unicode has pictures for the control characters; the others are named by their number. */
function show(character: string): string {
  const code = character.codePointAt(0) ?? 0
  if (code < 0x20) return String.fromCodePoint(0x2400 + code)
  if (code === 0x7f) return '␡'
  return `<U+${code.toString(16).toUpperCase().padStart(4, '0')}>`
}
