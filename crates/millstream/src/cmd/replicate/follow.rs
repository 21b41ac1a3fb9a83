//! Running pipelines: a thread each, one place that prints, signals that end it well.

use super::metrics::{self, Latest};
use crate::cmd::Failure;
use sinks::runner::{Ended, Phase, Pipeline, Progress, Report, Stop};
use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

/// Without a terminal, a line this often, when something moves.
const LINE_EVERY: u32 = 5;

pub fn follow(pipelines: Vec<Pipeline>, once: bool, metrics: Option<&str>) -> Result<(), Failure> {
    let latest = Latest::default();
    if let Some(address) = metrics {
        metrics::listen(address, latest.clone())?;
    }
    let (stop, end) = (Stop::default(), End::default());
    let names = pipelines.iter().map(|pipeline| pipeline.name().to_owned()).collect();
    stop_on_signals(stop.clone(), end.clone(), names)?;
    let (told, tells) = channel();
    let terminal = std::io::stderr().is_terminal() && pipelines.len() == 1;
    let mut failed = Vec::new();
    std::thread::scope(|scope| {
        let mut running = Vec::new();
        for pipeline in &pipelines {
            let (told, stop) = (told.clone(), stop.clone());
            let mut report = move |report| {
                let _ = told.send((pipeline.name().to_owned(), report));
            };
            running.push(scope.spawn(move || pipeline.follow(once, &stop, &mut report)));
        }
        drop(told);
        let mut printer = Printer { terminal, open: false, quiet: Vec::new(), latest };
        for (name, report) in tells {
            printer.print(&name, report);
        }
        printer.close();
        // The signal that ends the process at once is faster: what it says is the last word.
        while !end.is_mine() {
            std::thread::park();
        }
        for (pipeline, thread) in pipelines.iter().zip(running) {
            match thread.join() {
                Ok(Ok(Ended::AtTip)) => world::say!("{}: at the tip", pipeline.name()),
                Ok(Ok(_)) if once => {
                    failed.push(format!("{}: stopped before the tip; it goes on from here", pipeline.name()));
                }
                Ok(Ok(_)) => world::say!("{}: stopped; it goes on from here", pipeline.name()),
                Ok(Err(error)) => failed.push(format!("{}: {error}", pipeline.name())),
                Err(_) => failed.push(format!("{}: its thread panicked", pipeline.name())),
            }
        }
    });
    match failed.is_empty() {
        true => Ok(()),
        false => Err(Failure::Failed(failed.join("\n"))),
    }
}

/// Two may end the process: the pipelines' own end, and a second signal. One of them has the last word.
#[derive(Clone, Default)]
struct End(Arc<AtomicBool>);

impl End {
    fn is_mine(&self) -> bool {
        !self.0.swap(true, Ordering::SeqCst)
    }
}

fn stop_on_signals(stop: Stop, end: End, names: Vec<String>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (mut terminate, mut interrupt) = {
        let _inside = runtime.enter();
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?)
    };
    std::thread::spawn(move || {
        runtime.block_on(async move {
            for again in [false, true] {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                }
                if again {
                    if end.is_mine() {
                        for name in names {
                            world::say!("{name}: ended at once; it goes on from what was written last");
                        }
                        std::process::exit(1);
                    }
                    return;
                }
                world::say!("stopping: what is on its way is finished; once more to end at once");
                stop.stop();
            }
        });
    });
    Ok(())
}

struct Printer {
    terminal: bool,
    /// The last line is still being rewritten.
    open: bool,
    /// By pipeline: reports since the last line, and what that line said.
    quiet: Vec<(String, u32, String)>,
    latest: Latest,
}

impl Printer {
    fn print(&mut self, name: &str, report: Report) {
        match report {
            Report::Began { resumed: true } => self.line(name, "goes on where it was"),
            Report::Began { resumed: false } => self.line(name, "begins with a snapshot"),
            Report::Consistent => {
                self.line(name, "consistent: the snapshot and all that changed meanwhile is in")
            }
            Report::Note(note) => self.line(name, &note),
            Report::Progress(progress) => self.progress(name, &progress),
            Report::AtRest(progress) => self.latest.set(name, &progress),
        }
    }

    fn line(&mut self, name: &str, text: &str) {
        self.close();
        world::say!("{name}: {text}");
    }

    fn close(&mut self) {
        if self.open {
            world::say!();
            self.open = false;
        }
    }

    fn progress(&mut self, name: &str, progress: &Progress) {
        self.latest.set(name, progress);
        let text = words(progress);
        if self.terminal {
            let _ = write!(std::io::stderr(), "\r\x1b[2K{name}: {text}");
            self.open = true;
            return;
        }
        let known = match self.quiet.iter_mut().find(|(known, ..)| known == name) {
            Some(known) => known,
            None => {
                self.quiet.push((name.to_owned(), LINE_EVERY, String::new()));
                let last = self.quiet.len() - 1;
                &mut self.quiet[last]
            }
        };
        known.1 += 1;
        if known.1 >= LINE_EVERY && known.2 != text {
            (known.1, known.2) = (0, text.clone());
            world::say!("{name}: {text}");
        }
    }
}

fn words(progress: &Progress) -> String {
    let applied = progress.applied;
    let mut text = match progress.phase {
        Phase::Paused => "paused".to_owned(),
        Phase::Snapshot => {
            let (rows, items) = (applied.snapshot_rows as u64, progress.items);
            // The count of items is a few hours old on AWS.
            let share = if items > 0 { format!(" of about {items}") } else { String::new() };
            let left = items.saturating_sub(rows) as f64;
            let eta = match progress.rate > 0.0 && left > 0.0 {
                true => format!(", about {} left", span(Duration::from_secs_f64(left / progress.rate))),
                false => String::new(),
            };
            format!("snapshot: {rows}{share} rows, {:.0} a second{eta}", progress.rate)
        }
        Phase::Stream => {
            let copied = match applied.snapshot_rows {
                0 => String::new(),
                rows => format!("{rows} rows copied, "),
            };
            let place = match progress.lag {
                Some(lag) => format!("{} behind", span(lag)),
                None if progress.trouble.is_some() => "waiting".to_owned(),
                None => "at the tip".to_owned(),
            };
            format!("{copied}{} changes, {:.0} a second, {place}", applied.changes, progress.rate)
        }
    };
    if applied.quarantined > 0 {
        text.push_str(&format!("; {} to quarantine", applied.quarantined));
    }
    if let Some(spool) = progress.spool.as_ref().filter(|spool| spool.bytes > 0) {
        text.push_str(&format!("; {} MB in the spool", spool.bytes.div_ceil(1 << 20)));
    }
    if let Some(trouble) = &progress.trouble {
        text.push_str(&format!("; {} until records are lost; {trouble}", span(progress.until_loss)));
    }
    text
}

fn span(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7200 => format!("{} min", seconds / 60),
        seconds => format!("{} h", seconds / 3600),
    }
}
