//! Each case is a script of what happens to a lane, and the lines of what it does about it.
//!
//! `read 1 2 3` (created now; `1@0` created at that millisecond), `mixed (1) 2` (1 is filtered), `through 9`, `end`, `ok`,
//! `fail`, `part 2`, `gone`, `nudge`, `buried`, `kept` (the destination took given-up records, or did not),
//! `followed` (what lay ready is in flight), `stop`, `wait MS` (deadlines within it tick).

mod ahead;
mod batches;
mod fates;
mod laws;
mod retries;
mod rig;
mod windows;

use super::*;
use rig::*;
