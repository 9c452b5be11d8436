/** Where the tools volume is mounted: a static BusyBox and a link for each of its programs. */
export const toolsPath = '/.kuberun'

/** A POSIX shell in the container, for the holder and the wrapper. */
export interface Shell {
  command: readonly string[]
  /** What a script has to begin with. */
  setup: string
}

/** The image's own. */
export const plainShell: Shell = { command: ['sh'], setup: '' }

/** The one that the tools bring; the image's own programs come first on the path. */
export const toolsShell: Shell = { command: [`${toolsPath}/busybox`, 'sh'], setup: `PATH=$PATH:${toolsPath}\n` }
