import { launch } from '../launch.ts'
import { Warp } from '../warp.ts'

// Not awaited: a module that awaits cannot be required, which is how the stub gets here.
void launch(Warp)
