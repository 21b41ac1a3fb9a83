//! What an environment may hold of the machine.

use super::{Place, companions};
use crate::config::FunctionConfig;
use crate::limits::{Shares, is_in_memory};
use crate::sandbox::Sandbox;

/// Where its temporary files are in memory, they are the group's too: in namespaces each process that is started has
/// its own.
pub(super) fn of(config: &FunctionConfig, place: &Place<'_>) -> Shares {
    let stores = match place.sandbox {
        Sandbox::Namespaces => 1 + companions::count(place) as u64,
        Sandbox::Landlock(_) | Sandbox::Off => u64::from(is_in_memory(&place.temporary)),
    };
    Shares {
        memory_bytes: u64::from(config.memory_mb) << 20,
        files_bytes: stores * (u64::from(config.ephemeral_mb) << 20),
    }
}
