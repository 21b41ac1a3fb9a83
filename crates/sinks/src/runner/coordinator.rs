//! The loop between the threads: one event at a time, and what the machine decides of it.

mod chores;
mod errands;
mod feeds;
mod hear;
mod skims;
mod spooling;

use super::begin::{Pipeline, Taken};
use super::clerk::{Clerk, Errand};
use super::durable::Durable;
use super::job::{Done, Job, Reader};
use super::lane::{Parcel, Writer};
use super::progress::Report;
use super::skim::{Skim, Skimmer};
use super::{Ended, Stop};
use crate::config::OnGap;
use crate::join::{Action, Event, ShardId, Track};
use crate::mapping::Keying;
use crate::source::{Ahead, Table};
use crate::spool::{Keeper, Spool, Stand};
use crate::targets::{Applied, Change, Shared, spread};
use crate::{Error, Kind};
use feeds::{Feed, FeedJob, Name};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;

const READERS: usize = 2;
const SCANNERS: usize = 4;
const CONFIRM_EVERY: Duration = Duration::from_secs(5);
const REPORT_EVERY: Duration = Duration::from_secs(1);
const REST_EVERY: Duration = Duration::from_millis(20);
const TICK_EVERY: Duration = Duration::from_secs(1);
const LIST_EVERY: Duration = Duration::from_secs(60);
const PAUSED_LOOK: Duration = Duration::from_secs(1);
const PAUSE_MOST: Duration = Duration::from_secs(10);

struct Coordinator<'a> {
    pipeline: &'a Pipeline,
    taken: Taken,
    table: Table,
    feeds: BTreeMap<Name, Feed>,
    reads: Sender<Job>,
    scans: Sender<Job>,
    lanes: Vec<Sender<Parcel>>,
    /// Rows, and pieces of work, on their way.
    waiting_rows: usize,
    waiting_bytes: usize,
    waiting_works: usize,
    scan_due: Duration,
    list: bool,
    /// The end of the snapshot is to be written down, at this time.
    seal: bool,
    seal_due: Duration,
    errands: Sender<Errand>,
    /// Those that nobody has answered yet.
    errands_out: usize,
    told_consistent: bool,
    /// Shards that have ended, and shards whose marks need not be remembered.
    finish: Vec<ShardId>,
    forget: Vec<ShardId>,
    list_due: Duration,
    /// Shards whose last record before the scan is being looked for, and those of which it is still wanted.
    skims: BTreeMap<ShardId, Skim>,
    scan_ended: Sender<()>,
    skims_wanted: &'a Mutex<BTreeSet<ShardId>>,
    durable: Durable,
    spool: Option<&'a Spool>,
    /// What was told of the spool.
    spool_told: Stand,
    applied: Applied,
    created_s: u64,
    trouble: BTreeMap<usize, String>,
    /// By lane: works that are not done, and when it was last heard of.
    given: BTreeMap<usize, (usize, Duration)>,
    source_trouble: Option<String>,
    reported: (Duration, usize),
    /// The same of the last report of rest.
    rested: (Duration, usize),
    confirmed_ms: u64,
    confirm_due: Duration,
    tick_due: Duration,
    paused: bool,
    paused_due: Duration,
    /// Nobody reads the source any more.
    quit: Stop,
}

pub fn run(
    pipeline: &Pipeline,
    once: bool,
    stop: &Stop,
    report: &mut dyn FnMut(Report),
) -> Result<Ended, Error> {
    // An answer of the source that comes after the end is of no use.
    let quit = stop.inner();
    let pipeline = &pipeline.until(&quit);
    let spool = pipeline.spool()?;
    let spool = spool.as_ref();
    let (taken, ledger) = match spooling::take(pipeline, spool, once, stop, report) {
        Err(error) if error.kind == Kind::Gap && pipeline.config.on_gap == OnGap::Resnapshot => {
            report(Report::Note(error.to_string()));
            return Ok(Ended::Again);
        }
        taken => match taken? {
            Some(taken) => taken,
            None => return Ok(Ended::Stopped),
        },
    };
    let durable = Durable::new(&taken.kept.stored, taken.kept.confirmed_ms);
    if let Some(spool) = spool {
        spool.belongs(&taken.kept.stream, taken.kept.begun_ms, durable.finished().clone());
    }
    taken.tell(report);
    let world = pipeline.world.clone();
    let shared = Shared {
        pipeline: pipeline.config.name.clone(),
        epoch: taken.epoch,
        recopy: taken.join.is_recopying(),
        schema: taken.planned.description.schema.clone(),
        mapping: Arc::new(RwLock::new(Arc::new(taken.planned.mapping.clone()))),
        now_ms: Arc::new(move || world.now().millis()),
    };
    let (reads, read_jobs) = channel();
    let (scans, scan_jobs) = channel();
    let (done, told) = channel();
    let (mut lanes, mut inlets) = (Vec::new(), Vec::new());
    for _ in 0..taken.kept.stored.plan.lanes {
        let (inlet, outlet) = channel();
        inlets.push(inlet);
        lanes.push(outlet);
    }
    let stream = taken.kept.stream.clone();
    let segments = taken.kept.stored.plan.segments;
    let give_up = Stop::default();
    let has_mark =
        |shard: &&ShardId| taken.kept.stored.marks.contains_key(&(Track::Shard((*shard).clone()), 0));
    let unmarked = taken.kept.stored.plan.heads.keys().filter(|shard| !once && !has_mark(shard));
    let skims: BTreeMap<ShardId, Skim> = unmarked.map(|shard| (shard.clone(), Skim::UnderWay)).collect();
    let skims_wanted = Mutex::new(skims.keys().cloned().collect());
    let (read_jobs, scan_jobs) = (Mutex::new(read_jobs), Mutex::new(scan_jobs));
    let by_keys = taken.kept.stored.plan.by_keys;
    let direct = pipeline.target.direct(&taken.planned.mapping, &shared.schema);
    let reader = Reader {
        table: &pipeline.source_table,
        login: &pipeline.login,
        world: &pipeline.world,
        tables: pipeline.tables.as_deref(),
        // Where an item was before says where its row was, if that can be another place.
        ahead: Ahead::new(&pipeline.login, &pipeline.world, taken.planned.mapping.keying == Keying::Moving)
            .with_tables(pipeline.tables.clone()),
        schema: &shared.schema.clone(),
        by_keys,
        direct: direct.map(|direct| direct.dealing(by_keys)),
        stream: &stream,
        segments,
        spool,
        page_items: pipeline.config.scan_units_per_second.map(|units| units.ceil() as usize),
    };
    std::thread::scope(|scope| {
        for at in 0..READERS + SCANNERS.min(segments as usize) {
            let jobs = if at < READERS { &read_jobs } else { &scan_jobs };
            let (reader, done) = (&reader, done.clone());
            scope.spawn(move || reader.run(jobs, &done));
        }
        for (number, works) in lanes.into_iter().enumerate() {
            let writer = Writer {
                target: &pipeline.target,
                shared: shared.clone(),
                number,
                batch_rows: pipeline.config.batch_rows,
                patience: pipeline.patience(),
                world: &pipeline.world,
                give_up: &give_up,
            };
            let done = done.clone();
            scope.spawn(move || writer.run(&works, &done));
        }
        if let Some(spool) = spool {
            let (stream, give_up) = (&stream, &give_up);
            scope.spawn(move || Keeper::of(pipeline, spool, stream).run(give_up));
        }
        let (scan_ended, scanned) = channel();
        if taken.join.is_scanned() {
            let _ = scan_ended.send(());
        }
        if !skims.is_empty() {
            let skimmer = Skimmer { pipeline, stream: &stream, wanted: &skims_wanted, give_up: &give_up };
            let done = done.clone();
            scope.spawn(move || skimmer.run(&scanned, &done));
        }
        let (errands, clerks) = channel();
        let clerk = Clerk {
            pipeline,
            ledger,
            mapping: taken.planned.mapping.clone(),
            epoch: taken.epoch,
            patience: pipeline.patience(),
            give_up: &give_up,
        };
        scope.spawn(move || clerk.run(&clerks, &done));
        let now = pipeline.world.elapsed();
        let table = pipeline.source()?;
        let confirmed_ms = taken.kept.confirmed_ms;
        let finish = spread(&taken.kept.stored);
        let mut coordinator = Coordinator {
            pipeline,
            taken,
            table,
            feeds: BTreeMap::new(),
            reads,
            scans,
            lanes: inlets,
            waiting_rows: 0,
            waiting_bytes: 0,
            waiting_works: 0,
            scan_due: now,
            list: false,
            seal: false,
            seal_due: now,
            errands,
            errands_out: 0,
            told_consistent: false,
            finish,
            forget: Vec::new(),
            list_due: now + LIST_EVERY,
            skims,
            scan_ended,
            skims_wanted: &skims_wanted,
            durable,
            spool,
            spool_told: Stand::default(),
            applied: Applied::default(),
            created_s: 0,
            trouble: BTreeMap::new(),
            given: BTreeMap::new(),
            source_trouble: None,
            reported: (now, 0),
            rested: (now, 0),
            confirmed_ms,
            confirm_due: now + CONFIRM_EVERY,
            tick_due: now + TICK_EVERY,
            paused: false,
            paused_due: now,
            quit: quit.clone(),
        };
        let ended = coordinator.run(once, stop, &told, report);
        // Whoever waits for a target that is away need not any more, nor for the source.
        give_up.stop();
        quit.stop();
        ended
    })
}

impl Coordinator<'_> {
    fn run(
        &mut self,
        once: bool,
        stop: &Stop,
        told: &Receiver<Done>,
        report: &mut dyn FnMut(Report),
    ) -> Result<Ended, Error> {
        let actions = self.taken.join.start();
        match self.drive(actions, once, stop, told, report) {
            Err(error) if error.kind == Kind::Gap && self.pipeline.config.on_gap == OnGap::Resnapshot => {
                report(Report::Note(error.to_string()));
                Ok(Ended::Again)
            }
            ended => ended,
        }
    }

    fn drive(
        &mut self,
        actions: Vec<Action<Change>>,
        once: bool,
        stop: &Stop,
        told: &Receiver<Done>,
        report: &mut dyn FnMut(Report),
    ) -> Result<Ended, Error> {
        self.act(actions)?;
        let (mut ending, mut is_noted) = (None, false);
        loop {
            self.chores(report)?;
            if ending.is_none() {
                if stop.is_set() {
                    ending = Some(Ended::Stopped);
                } else if once && self.taken.join.is_caught_up() {
                    ending = Some(Ended::AtTip);
                }
                if ending.is_some() {
                    self.quit.stop();
                    // The marks of lanes that had nothing to write.
                    self.step(Event::Tick)?;
                }
            }
            if let Some(ended) = ending {
                // A target that does not answer lanes answers nobody.
                let given_up = ended == Ended::Stopped && !self.trouble.is_empty();
                if self.waiting_works == 0 && !is_noted {
                    is_noted = true;
                    self.confirm();
                    self.tidy();
                }
                if is_noted && self.errands_out == 0 || given_up {
                    report(Report::Progress(self.progress()));
                    return Ok(ended);
                }
            } else {
                self.give_jobs();
            }
            match told.recv_timeout(self.wait()) {
                Ok(done) => {
                    self.hear(done, report)?;
                    while let Ok(done) = told.try_recv() {
                        self.hear(done, report)?;
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(Error::new(Kind::Target, "all of the pipeline's threads have ended"));
                }
            }
        }
    }

    fn now(&self) -> Duration {
        self.pipeline.world.elapsed()
    }

    fn wait(&self) -> Duration {
        let most = Duration::from_millis(100);
        if self.is_full() || self.paused {
            return most;
        }
        let now = self.now();
        let due = self.feeds.values().filter(|feed| !feed.busy).map(|feed| feed.due.saturating_sub(now));
        due.min().unwrap_or(most).clamp(Duration::from_millis(1), most)
    }

    fn step(&mut self, event: Event<Change>) -> Result<(), Error> {
        let actions = self.taken.join.step(event);
        self.act(actions)
    }

    fn act(&mut self, actions: Vec<Action<Change>>) -> Result<(), Error> {
        for action in actions {
            match action {
                Action::List => self.list = true,
                Action::Open { shard, after } => self.open(shard, after)?,
                Action::Scan { segment, from } => {
                    self.feed(Name::Segment(segment), FeedJob::Segment { from })
                }
                Action::Apply { lane, work } => {
                    let bytes = work.rows.iter().map(Change::size_bytes).sum::<usize>();
                    self.waiting_rows += work.rows.len();
                    self.waiting_bytes += bytes;
                    self.waiting_works += 1;
                    let now = self.now();
                    self.given.entry(lane).or_insert((0, now)).0 += 1;
                    // A lane that has ended says why by itself.
                    let _ = self.lanes[lane].send(Parcel { work, bytes });
                }
                Action::Seal => self.seal = true,
                Action::Forget { shards } => {
                    self.forget.extend(shards);
                    self.confirm_due = self.now();
                }
                Action::Gap { shard } => self.lost(&shard)?,
                Action::Consistent => self.confirm(),
            }
        }
        Ok(())
    }

    /// Records are missing in the stream: nothing is lost when they are older than what is known to be applied.
    fn lost(&mut self, shard: &str) -> Result<(), Error> {
        let age_ms = self.unsafe_ms();
        if age_ms < self.pipeline.kept_for_ms() {
            return Ok(());
        }
        Err(Error::new(
            Kind::Gap,
            format!(
                "records of shard {shard} were trimmed before they were applied: all was applied {} seconds ago for the last time; `millstream replicate FILE resync {}` begins again with a snapshot",
                age_ms / 1000,
                self.pipeline.config.name
            ),
        ))
    }
}
