//! A relay that cuts connections after some bytes, mid-answer.

use super::{Listener, cut};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use world::Random;

/// Bytes of a connection's life, in either direction.
const BYTES_LEAST: u64 = 6_000;
const BYTES_MORE: u64 = 40_000;

pub struct Cuts {
    listener: Listener,
    cuts: Arc<AtomicU64>,
    calm: Arc<AtomicBool>,
}

impl Cuts {
    /// In front of this address; `seed` decides where connections are cut.
    pub fn before(address: String, seed: u64) -> Cuts {
        let (cuts, calm) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let random = Mutex::new(Random::from_seed(seed));
        let (told, quiet) = (cuts.clone(), calm.clone());
        let listener = Listener::start(move |client| {
            let Ok(server) = TcpStream::connect(&address) else { return };
            let mut random = random.lock().unwrap_or_else(PoisonError::into_inner);
            let mut bytes = || BYTES_LEAST + random.below(BYTES_MORE);
            let budgets = [bytes(), bytes()];
            drop(random);
            std::thread::scope(|scope| {
                let ways = [(&client, &server), (&server, &client)];
                for ((from, to), budget) in ways.into_iter().zip(budgets) {
                    let (told, quiet) = (&told, &quiet);
                    scope.spawn(move || {
                        if relay(from, to, budget, quiet) {
                            told.fetch_add(1, Ordering::Relaxed);
                        }
                        cut([from, to]);
                    });
                }
            });
        });
        Cuts { listener, cuts, calm }
    }

    pub fn address(&self) -> &str {
        &self.listener.address
    }

    /// From now on, or no longer, nothing is cut.
    pub fn be_calm(&self, calm: bool) {
        self.calm.store(calm, Ordering::Relaxed);
    }

    /// How many connections have been cut.
    pub fn count(&self) -> u64 {
        self.cuts.load(Ordering::Relaxed)
    }
}

/// True: it was cut here.
fn relay(mut from: &TcpStream, mut to: &TcpStream, budget: u64, calm: &AtomicBool) -> bool {
    let mut left = budget;
    let mut buffer = [0; 8192];
    loop {
        let size = match from.read(&mut buffer) {
            Ok(size) if size > 0 => size,
            _ => return false,
        };
        let is_last = size as u64 > left && !calm.load(Ordering::Relaxed);
        let whole = if is_last { left as usize } else { size };
        if to.write_all(&buffer[..whole]).is_err() {
            return false;
        }
        if is_last {
            return true;
        }
        left = left.saturating_sub(size as u64);
    }
}
