//! What holds the memory and the processes of an environment: the kernel's control groups (cgroup v2), where the server
//! was given one that it may divide; else looking at them now and then.

mod group;
mod groups;
mod peak;
mod place;

pub(crate) use group::{Group, is_in_memory};
pub(crate) use peak::Peak;

use groups::Groups;
use place::{Place, System};
use std::io;
use std::sync::Arc;

/// AWS's number; threads count.
pub(crate) const PROCESSES_MAX: u64 = 742;

/// What there is.
#[derive(Clone, Debug)]
pub enum Limits {
    /// A control group for each environment.
    Groups(Kept),
    /// Memory is looked at; why there is nothing better.
    Watched(String),
}

/// How memory and processes are held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holding {
    Grouped,
    Watched,
}

/// The server's own part of the hierarchy.
#[derive(Clone, Debug)]
pub struct Kept(Arc<Groups>);

/// What one environment may hold.
pub(crate) struct Shares {
    pub memory_bytes: u64,
    /// What its files may take of the memory, besides.
    pub files_bytes: u64,
}

impl Limits {
    /// Takes the server's control group to divide it, if that may be done. The server moves into a group below it.
    pub fn claim() -> Limits {
        match Place::find(&System::default()).and_then(Groups::take) {
            Ok(groups) => Limits::Groups(Kept(Arc::new(groups))),
            Err(why) => Limits::Watched(why),
        }
    }

    /// What a claim would come to, and how people are told of it. Changes nothing.
    pub fn foresee() -> (Holding, String) {
        match Place::find(&System::default()) {
            Ok(place) => (Holding::Grouped, format!("cgroup v2, in {}", place.base.display())),
            Err(why) => (Holding::Watched, Limits::Watched(why).to_string()),
        }
    }

    pub fn holding(&self) -> Holding {
        match self {
            Limits::Groups(_) => Holding::Grouped,
            Limits::Watched(_) => Holding::Watched,
        }
    }

    /// A group for an environment, if groups there are.
    pub(crate) fn group(&self, shares: &Shares) -> io::Result<Option<Arc<Group>>> {
        match self {
            Limits::Groups(Kept(groups)) => Ok(Some(Arc::new(Group::make(groups, shares)?))),
            Limits::Watched(_) => Ok(None),
        }
    }

    /// Removes groups whose processes were not gone yet when their environments were.
    pub(crate) fn sweep(&self) {
        if let Limits::Groups(Kept(groups)) = self {
            groups.sweep();
        }
    }

    /// Gives back what was claimed; false as long as environments are there.
    pub(crate) fn close(&self) -> bool {
        match self {
            Limits::Groups(Kept(groups)) => groups.close(),
            Limits::Watched(_) => true,
        }
    }
}

impl std::fmt::Display for Limits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Limits::Groups(Kept(groups)) => write!(f, "cgroup v2, in {}", groups.path().display()),
            Limits::Watched(why) => write!(f, "watched: {why}"),
        }
    }
}
