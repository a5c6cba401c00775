/** Colours by the conventions that people know: `--no-color`, then FORCE_COLOR, then NO_COLOR, then the terminal. */
import { styleText } from 'node:util'
import type { Io } from '../io.ts'

type Style = 'red' | 'green' | 'yellow' | 'cyan' | 'bold' | 'dim'

/** Paints text, or leaves it as it is. */
export type Colours = { readonly [K in Style]: (text: string) => string }

const styles: readonly Style[] = ['red', 'green', 'yellow', 'cyan', 'bold', 'dim']

/** Whether output to this sink is coloured. */
export function wantsColour(env: Io['env'], sink: Io['out'], noColour: boolean | undefined): boolean {
  if (noColour) return false
  if (env.FORCE_COLOR !== undefined && env.FORCE_COLOR !== '')
    return !['0', 'false'].includes(env.FORCE_COLOR)
  // "when present and not an empty string (regardless of its value)": no-color.org
  if (env.NO_COLOR) return false
  return sink.isTTY && env.TERM !== 'dumb'
}

/** The painters, active or not. */
export function coloursOf(active: boolean): Colours {
  const paint = (style: Style) => (text: string) =>
    active && text ? styleText(style, text, { validateStream: false }) : text
  return Object.fromEntries(styles.map((style) => [style, paint(style)])) as unknown as Colours
}
