/** Where a run tells people what it is doing; stdout is never a part of it. */
export interface Reporter {
  /** What is being waited for: a passing remark, shown on a terminal after a while. */
  waiting(what: string): void
  /** What somebody has to know, now. */
  warning(message: string): void
  /** What the user should know of a run that went as asked. */
  note(message: string): void
  /** A milestone for `-v`. */
  phase(name: string): void
}
