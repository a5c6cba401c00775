/**
 * npm runs this after it has installed a clone, on whatever Node it runs on itself. Without a bundle everything works
 * as well, only slower: so nothing here may make an installation fail.
 */
if (Number.parseInt(process.versions.node, 10) >= 24)
  try {
    await import('./bundle.ts')
  } catch (error) {
    console.error(`harmony runs from its sources; they could not be put together: ${error}`)
  }
