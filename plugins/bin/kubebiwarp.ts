import { Kubebiwarp } from '../kubebiwarp.ts'
import { launch } from '../launch.ts'

// Not awaited: a module that awaits cannot be required, which is how the stub gets here.
void launch(Kubebiwarp)
