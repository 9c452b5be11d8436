/** The signals that a run hears of; all but CONT reach the command. Without the `SIG`, as Kubernetes and `kill -l` name them. */
export type RunSignal = 'INT' | 'TERM' | 'HUP' | 'QUIT' | 'USR1' | 'USR2' | 'WINCH' | 'CONT'

/** The signals that ask a run to end. */
export type EndSignal = Extract<RunSignal, 'INT' | 'TERM' | 'HUP' | 'QUIT'>

/** Where signals come from: the process in a program, anything in a test. */
export interface SignalSource {
  /**
   * Calls the listener for each signal, in order; those that came before the first listener are told to it at once.
   * @returns takes the listener away
   */
  on(listener: (signal: RunSignal) => void): () => void
}

/** What a run is connected to. It never ends or destroys the streams. */
export interface RunIO {
  stdin: NodeJS.ReadStream
  stdout: NodeJS.WriteStream
  stderr: NodeJS.WriteStream
  signals: SignalSource
  /** Aborts when the program itself has failed: the run then cleans up and rejects with the reason. */
  signal?: AbortSignal
}

/** How a run ended. */
export interface RunResult {
  /** 0-255, as the program should exit. */
  exitCode: number
  /** Set: the program should end by this signal itself, so that the shell's loop around it stops too. */
  signal?: EndSignal
  /**
   * The run was ended by a signal or by `--timeout` while nobody read its output: what is left of that should not be
   * waited for.
   */
  unread?: true
}
