/** What becomes of one name in a folder. */
export interface Verdict {
  /** `walk`: a folder that goes only where something below it does. */
  readonly answer: 'in' | 'out' | 'walk'
  readonly reason: string
}

/** The filter of one folder: decides over the names in it. */
export interface FolderFilter {
  /** Pure. A symlink to a folder is not a folder. */
  verdict(name: string, isFolder: boolean): Verdict
  /** The filter of a folder in this one. `entries` are the names in that folder, which was just listed. */
  enter(name: string, entries: ReadonlySet<string>): Promise<FolderFilter>
}
