//! What Prometheus asks: one small page, one caller at a time.

use crate::cmd::Failure;
use sinks::runner::{Phase, Progress};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The last of each pipeline.
#[derive(Clone, Default)]
pub struct Latest(Arc<Mutex<BTreeMap<String, Progress>>>);

impl Latest {
    pub fn set(&self, pipeline: &str, progress: &Progress) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(pipeline.to_owned(), progress.clone());
    }

    fn page(&self) -> String {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut page = String::new();
        for (name, kind, of) in METRICS {
            let _ = writeln!(page, "# TYPE millstream_replicate_{name} {kind}");
            for (pipeline, progress) in all.iter() {
                let value = of(progress);
                let _ = writeln!(page, "millstream_replicate_{name}{{pipeline={pipeline:?}}} {value}");
            }
        }
        page
    }
}

type Of = fn(&Progress) -> f64;

const METRICS: [(&str, &str, Of); 11] = [
    ("snapshot_rows_total", "counter", |p| p.applied.snapshot_rows as f64),
    ("changes_total", "counter", |p| p.applied.changes as f64),
    ("quarantined_total", "counter", |p| p.applied.quarantined as f64),
    ("waiting_rows", "gauge", |p| p.waiting as f64),
    ("shards_open", "gauge", |p| p.shards_open as f64),
    ("lag_seconds", "gauge", |p| p.lag.unwrap_or_default().as_secs_f64()),
    ("seconds_until_loss", "gauge", |p| p.until_loss.as_secs_f64()),
    ("spool_bytes", "gauge", |p| p.spool.as_ref().map_or(0.0, |spool| spool.bytes as f64)),
    ("spool_full", "gauge", |p| f64::from(u8::from(p.spool.as_ref().is_some_and(|s| s.full.is_some())))),
    ("in_snapshot", "gauge", |p| f64::from(u8::from(p.phase == Phase::Snapshot))),
    ("in_trouble", "gauge", |p| f64::from(u8::from(p.trouble.is_some()))),
];

/// Answers at this address as long as the process lives.
pub fn listen(address: &str, latest: Latest) -> Result<(), Failure> {
    let listener = TcpListener::bind(address)
        .map_err(|error| Failure::Failed(format!("metrics = \"{address}\": {error}")))?;
    world::say!("metrics at http://{}/metrics", listener.local_addr()?);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // A caller who went away misses a page.
            let _ = answer(&stream, &latest);
        }
    });
    Ok(())
}

fn answer(stream: &TcpStream, latest: &Latest) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(2)))?;
    stream.set_write_timeout(Some(Duration::from_secs(2)))?;
    let mut line = String::new();
    BufReader::new(std::io::Read::take(stream, 8192)).read_line(&mut line)?;
    let (status, page) = match line.split(' ').nth(1) {
        Some("/metrics") => ("200 OK", latest.page()),
        _ => ("404 Not Found", "there is /metrics\n".to_owned()),
    };
    let mut out = stream;
    write!(
        out,
        "HTTP/1.1 {status}\r\ncontent-type: text/plain; version=0.0.4\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{page}",
        page.len()
    )
}
