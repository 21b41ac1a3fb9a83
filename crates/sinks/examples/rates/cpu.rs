//! Processor time: what source, target and runner share.

use super::Result;
use std::fs::{read_dir, read_to_string};
use std::ops::Sub;

/// Linux counts in these.
const TICKS_A_SECOND: f64 = 100.0;

/// Seconds until now.
#[derive(Clone, Copy)]
pub struct Cpu {
    source: f64,
    /// The database's processes, those that ended among them.
    target: f64,
    /// This process, and the runners that it waited for.
    rest: f64,
}

/// A process as it stands: its parent, its own ticks, those of children that it waited for.
struct Standing {
    pid: u32,
    parent: u32,
    own: f64,
    waited: f64,
}

impl Cpu {
    pub fn now(source: Option<u32>) -> Result<Cpu> {
        let all: Vec<Standing> =
            read_dir("/proc")?.flatten().filter_map(|entry| standing(entry.file_name().to_str()?)).collect();
        let me = std::process::id();
        let mut cpu = Cpu { source: 0.0, target: 0.0, rest: 0.0 };
        for one in &all {
            let seconds = (one.own + one.waited) / TICKS_A_SECOND;
            match one.pid {
                pid if Some(pid) == source => cpu.source += seconds,
                pid if pid == me => cpu.rest += seconds,
                _ if descends(&all, one, me) => cpu.target += seconds,
                _ => {}
            }
        }
        Ok(cpu)
    }

    pub fn told(self) -> String {
        let Cpu { source, target, rest } = self;
        format!("processor: source {source:.2} s, database {target:.2} s, the rest {rest:.2} s")
    }
}

impl Sub for Cpu {
    type Output = Cpu;
    fn sub(self, other: Cpu) -> Cpu {
        let less = |one: f64, other: f64| (one - other).max(0.0);
        Cpu {
            source: less(self.source, other.source),
            target: less(self.target, other.target),
            rest: less(self.rest, other.rest),
        }
    }
}

fn standing(pid: &str) -> Option<Standing> {
    let stat = read_to_string(format!("/proc/{}/stat", pid.parse::<u32>().ok()?)).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at)?.parse::<f64>().ok();
    Some(Standing {
        pid: pid.parse().ok()?,
        parent: fields.get(1)?.parse().ok()?,
        own: ticks(11)? + ticks(12)?,
        waited: ticks(13)? + ticks(14)?,
    })
}

fn descends(all: &[Standing], one: &Standing, from: u32) -> bool {
    let mut parent = one.parent;
    // No family is as deep.
    for _ in 0..16 {
        if parent == from {
            return true;
        }
        match all.iter().find(|other| other.pid == parent) {
            Some(found) => parent = found.parent,
            None => return false,
        }
    }
    false
}
