//! One shard on its way to one mapping's target: reads, deals to lanes, hands over, keeps the checkpoint.
//!
//! Everything that is decided is decided by the lanes, which are pure; this is what waits for the world on their behalf.

use crate::checkpoint::{Checkpoint, LanePoint};
use crate::filter::Filter;
use crate::gauges::{Flow, Gauges, Stuck};
use crate::keep::Keep;
use crate::lane::{Action, Entry, Event, Finish, Lane, Moment};
use crate::mapping::Mapping;
use crate::target::{
    Batch, BoxFuture, Buried, Delivered, Delivery, Destination, Letter, PROBLEM_INTERNAL, Report, Target,
};
use crate::window::Frame;
use bytes::Bytes;
use engine::stream::{Record, Sequence, Shard};
use engine::{Engine, ErrorKind};
use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use world::World;

/// How long progress may go unwritten. A crash repeats no more than what was delivered in this time.
const CHECKPOINT_DELAY: Duration = Duration::from_millis(50);
/// Records of a shard held in memory, of all lanes: a blocked lane holds the others up only beyond this.
const HELD_RECORDS_MAX: u64 = 20_000;
/// What one read brings at most.
const READ_RECORDS_MAX: usize = 10_000;
const READ_BYTES_MAX: usize = 8 << 20;
/// The pause after the stream could not be read.
const READ_RETRY: Duration = Duration::from_secs(1);

/// Reads in a row before others have their turn.
const READS_MAX: usize = 4;

type Flight = Pin<Box<dyn Future<Output = Landed> + Send>>;
type Departure = BoxFuture<'static, Option<Delivery>>;

/// What came back of what was sent.
enum Landed {
    Delivered(Delivery),
    Buried(Result<(), String>),
}

/// Whose record it is.
enum Dealt {
    /// It was finished under an earlier division into lanes.
    Finished,
    Filtered(usize),
    Wanted(usize, Entry<Bytes>),
}

pub(crate) struct ShardRun {
    pub engine: Arc<Engine>,
    pub keep: Keep,
    pub world: World,
    pub gauges: Arc<Gauges>,
    pub mapping: Arc<Mapping>,
    pub target: Arc<dyn Target>,
    /// Where records go that are given up.
    pub destination: Option<Arc<dyn Destination>>,
    pub filter: Arc<Filter>,
    pub shard: Arc<Shard>,
    pub name: Arc<str>,
    pub checkpoint: Checkpoint,
    /// Held until it is told to stop.
    pub reading: Option<mpsc::Sender<Infallible>>,
}

/// What is under way.
struct Course {
    lanes: Vec<Lane<Bytes>>,
    flights: Vec<Option<Flight>>,
    /// What is to be laid ready behind them, and what is.
    prepared: Vec<Option<Batch>>,
    ahead: Vec<Option<Departure>>,
    /// What was last heard of each lane's target.
    reports: Vec<Heard>,
    /// There may be more to read at once.
    more: bool,
    /// Everything up to here has been dealt to the lanes.
    read: u64,
    /// Nothing follows what was read.
    ended: bool,
    /// Since when there has been progress that is not written.
    dirty: Option<Duration>,
    retry_read: Option<Duration>,
}

#[derive(Clone, Default)]
struct Heard {
    report: Option<Report>,
    error: Option<String>,
}

enum Woken {
    Settled(usize, Landed),
    Readable,
    Due,
    Stop,
    Nudge,
}

impl ShardRun {
    pub async fn run(mut self, mut stop: watch::Receiver<bool>) -> Finish {
        // Keeps what is written from now on in memory: at the tip nothing is read from disk.
        let _tail = self.shard.tail();
        let policy = &self.mapping.policy;
        let mut window = self.checkpoint.window.take();
        let lanes = self.checkpoint.lanes.iter();
        let mut course = Course {
            lanes: lanes
                .map(|lane| Lane::new(policy.clone(), lane.position, lane.totals).within(window.take()))
                .collect(),
            flights: self.checkpoint.lanes.iter().map(|_| None).collect(),
            prepared: self.checkpoint.lanes.iter().map(|_| None).collect(),
            ahead: self.checkpoint.lanes.iter().map(|_| None).collect(),
            reports: vec![Heard::default(); self.checkpoint.lanes.len()],
            more: false,
            read: self.checkpoint.position(),
            ended: false,
            dirty: None,
            retry_read: None,
        };
        let mut actions = Vec::new();
        let mut stopping = false;
        loop {
            self.write_when_due(&mut course);
            let woken = match launched(&mut course.flights).await {
                Some((lane, landed)) => Woken::Settled(lane, landed),
                None => {
                    self.lay_ready(&mut course);
                    self.read(&mut course, &mut actions);
                    if course.lanes.iter().all(Lane::is_finished) {
                        return self.finish(course).await;
                    }
                    self.wait(&mut course, &mut stop, stopping).await
                }
            };
            let moment = self.moment();
            let mut tell = |course: &mut Course, lane: usize, event: Event<Bytes>| {
                course.lanes[lane].handle(event, moment, &mut actions);
                self.act(course, lane, &mut actions);
            };
            let all = 0..course.lanes.len();
            match woken {
                Woken::Settled(lane, Landed::Delivered(delivery)) => {
                    self.gauges.tell_result(delivery.problem);
                    course.reports[lane] = Heard { report: delivery.report, error: delivery.error };
                    course.prepared[lane] = None;
                    match delivery.followed {
                        true => tell(&mut course, lane, Event::Followed),
                        false => course.ahead[lane] = None,
                    }
                    if let Some(state) = delivery.state {
                        tell(&mut course, lane, Event::State(state));
                    }
                    tell(&mut course, lane, Event::Settled(delivery.outcome));
                }
                Woken::Settled(lane, Landed::Buried(outcome)) => {
                    let accepted = outcome.is_ok();
                    if let Err(why) = outcome {
                        self.gauges.tell_burial_failure();
                        course.reports[lane].error = Some(why);
                    }
                    tell(&mut course, lane, Event::Buried { accepted });
                }
                Woken::Readable => {}
                Woken::Due => all.for_each(|lane| tell(&mut course, lane, Event::Tick)),
                Woken::Nudge => all.for_each(|lane| tell(&mut course, lane, Event::Nudge)),
                Woken::Stop => {
                    stopping = true;
                    course.prepared.fill_with(|| None);
                    all.clone().for_each(|lane| self.target.withdraw(&self.name, lane));
                    all.for_each(|lane| tell(&mut course, lane, Event::Stop));
                    self.reading = None;
                }
            }
            self.tell_flow(&course);
        }
    }

    fn moment(&self) -> Moment {
        Moment { now: self.world.now(), elapsed: self.world.elapsed() }
    }

    fn wants(&self, course: &Course) -> bool {
        let held: usize = course.lanes.iter().map(Lane::held).sum();
        !course.ended
            && course.retry_read.is_none()
            && (held as u64) < HELD_RECORDS_MAX
            && course.lanes.iter().any(|lane| lane.wants().is_some())
    }

    /// Hands over what is to lie ready behind batches that are under way.
    fn lay_ready(&self, course: &mut Course) {
        for (batch, ahead) in course.prepared.iter_mut().zip(&mut course.ahead) {
            if let Some(batch) = batch.take() {
                *ahead = self.target.clone().follow(batch);
            }
        }
    }

    /// Reads what is there and deals it to the lanes, as long as they want more.
    fn read(&mut self, course: &mut Course, actions: &mut Vec<Action<Bytes>>) {
        let mut reads = 0;
        course.more = false;
        while self.wants(course) {
            reads += 1;
            if reads > READS_MAX {
                course.more = true;
                return;
            }
            let wanted = course.lanes.iter().filter_map(Lane::wants);
            let (records, bytes) =
                wanted.fold((0, 0), |sum, wants| (sum.0 + wants.records, sum.1 + wants.bytes));
            let (records, bytes) = (records.min(READ_RECORDS_MAX), bytes.min(READ_BYTES_MAX));
            let found = match self.engine.read_records(&self.shard, Sequence(course.read), records, bytes) {
                Ok(found) => found,
                Err(error) if error.kind == ErrorKind::Trimmed => {
                    // What was trimmed is gone for everybody; it goes on at the oldest record there is.
                    let from = self.shard.start().0.max(course.read);
                    match self.engine.stream_position(&self.shard, engine::stream::Position::TrimHorizon) {
                        Ok(horizon) if horizon.0 > from => {
                            course.read = horizon.0;
                            continue;
                        }
                        _ => return self.unreadable(course, &error),
                    }
                }
                Err(error) => return self.unreadable(course, &error),
            };
            let through = found.through.0;
            if through <= course.read && found.next.is_some() {
                return; // The tip.
            }
            let mut dealt: Vec<(Vec<Entry<Bytes>>, Vec<u64>)> =
                course.lanes.iter().map(|_| Default::default()).collect();
            // A damaged record stops the shard before it, loudly: what cannot be delivered is not passed over.
            let mut damaged = None;
            for record in &found.records {
                let is_new = |lane: usize| record.sequence.0 > course.lanes[lane].taken();
                match self.deal(record) {
                    Ok(Dealt::Wanted(lane, entry)) if is_new(lane) => dealt[lane].0.push(entry),
                    Ok(Dealt::Filtered(lane)) if is_new(lane) => dealt[lane].1.push(record.sequence.0),
                    Ok(_) => {}
                    Err(why) => {
                        damaged = Some((record.sequence.0, why));
                        break;
                    }
                }
            }
            let through = damaged.as_ref().map_or(through, |(sequence, _)| sequence - 1);
            course.read = through.max(course.read);
            course.ended = found.next.is_none() && damaged.is_none();
            let moment = self.moment();
            for (lane, (entries, filtered)) in dealt.into_iter().enumerate() {
                // A lane may be ahead of the shard's lowest position.
                let through = course.read.max(course.lanes[lane].taken());
                let event = Event::Read { entries, filtered, through, ended: course.ended };
                course.lanes[lane].handle(event, moment, actions);
                self.act(course, lane, actions);
            }
            self.tell_flow(course);
            if let Some((_, why)) = damaged {
                return self.unreadable(course, &why);
            }
        }
    }

    fn unreadable(&self, course: &mut Course, error: &dyn std::fmt::Display) {
        eprintln!("mapping {}: shard {} cannot be read: {error}", self.mapping.id, self.name);
        self.gauges.tell_result(Some(PROBLEM_INTERNAL));
        course.retry_read = Some(self.world.elapsed() + READ_RETRY);
    }

    /// Whose record it is, and the record as its target will be handed it.
    fn deal(&self, record: &Arc<Record>) -> Result<Dealt, String> {
        let lanes = self.checkpoint.lanes.len();
        let hash = if lanes > 1 || !self.checkpoint.older.is_empty() { key_hash(record) } else { 0 };
        if self.checkpoint.is_finished(record.sequence.0, hash) {
            return Ok(Dealt::Finished);
        }
        let lane = hash as usize % lanes;
        let damaged = |why: &dyn std::fmt::Display| format!("record {} is damaged: {why}", record.sequence);
        if !self.filter.wants(record, &self.mapping.region).map_err(|why| damaged(&format!("{why:?}")))? {
            return Ok(Dealt::Filtered(lane));
        }
        let encoded = self.target.encode(record).map_err(|why| damaged(&why))?;
        let entry = Entry {
            sequence: record.sequence.0,
            created: record.created,
            bytes: encoded.len(),
            record: encoded,
        };
        Ok(Dealt::Wanted(lane, entry))
    }

    fn batch(&self, lane: usize, entries: Vec<Entry<Bytes>>, attempt: u32, frame: Option<Frame>) -> Batch {
        let delivered = |entry: Entry<Bytes>| Delivered { sequence: entry.sequence, encoded: entry.record };
        let records = entries.into_iter().map(delivered).collect();
        Batch { mapping: self.mapping.clone(), shard: self.name.clone(), lane, records, attempt, frame }
    }

    /// Does what a lane decided.
    fn act(&self, course: &mut Course, lane: usize, actions: &mut Vec<Action<Bytes>>) {
        for action in actions.drain(..) {
            match action {
                Action::Deliver { batch, attempt, frame } => {
                    let batch = self.batch(lane, batch, attempt, frame);
                    let target = self.target.clone();
                    let departed = course.ahead[lane].take();
                    course.flights[lane] = Some(Box::pin(async move {
                        if let Some(departed) = departed
                            && let Some(delivery) = departed.await
                        {
                            return Landed::Delivered(delivery);
                        }
                        Landed::Delivered(target.deliver(batch).await)
                    }));
                }
                Action::Prepare { batch, attempt } => {
                    course.prepared[lane] = Some(self.batch(lane, batch, attempt, None));
                }
                Action::Advance { .. } | Action::Forget => {
                    course.dirty.get_or_insert(self.world.elapsed());
                }
                Action::Bury { batch, reason, invocations } => {
                    let letter = Letter {
                        mapping: self.mapping.clone(),
                        shard: self.name.clone(),
                        records: batch
                            .into_iter()
                            .map(|Entry { sequence, created, record, .. }| Buried {
                                sequence,
                                created,
                                encoded: record,
                            })
                            .collect(),
                        reason,
                        invocations,
                        report: course.reports[lane].report.clone(),
                    };
                    let destination = self.destination.clone();
                    course.flights[lane] = Some(Box::pin(async move {
                        Landed::Buried(match destination {
                            Some(destination) => destination.bury(letter).await,
                            None => Err("its destination is not known here".to_owned()),
                        })
                    }));
                }
                Action::Drop { batch, reason, invocations } => {
                    let (first, last) = (batch.first(), batch.last());
                    eprintln!(
                        "mapping {}: {} records of shard {} were given up ({reason:?} after {invocations} invocations), {:?} to {:?}",
                        self.mapping.id,
                        batch.len(),
                        self.name,
                        first.map(|entry| entry.sequence),
                        last.map(|entry| entry.sequence),
                    );
                }
                Action::Finish(_) => {}
            }
        }
    }

    async fn wait(&self, course: &mut Course, stop: &mut watch::Receiver<bool>, stopping: bool) -> Woken {
        let moment = self.moment();
        let lanes_due = course.lanes.iter().filter_map(|lane| lane.deadline(moment)).min();
        let dirty_due = course.dirty.map(|since| since + CHECKPOINT_DELAY);
        let due = [lanes_due, dirty_due, course.retry_read].into_iter().flatten().min();
        let reading = self.wants(course);
        let stalled = course.lanes.iter().any(Lane::is_stalled);
        let flights = &mut course.flights;
        tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop), if !stopping => Woken::Stop,
            (lane, delivery) = settled(flights) => Woken::Settled(lane, delivery),
            () = tokio::task::yield_now(), if course.more => Woken::Readable,
            () = self.shard.changed(Sequence(course.read)), if reading => Woken::Readable,
            () = sleep(due.map(|due| due.saturating_sub(moment.elapsed))) => {
                if course.retry_read.is_some_and(|at| at <= self.world.elapsed()) {
                    course.retry_read = None;
                }
                Woken::Due
            }
            () = self.target.changed(), if stalled => Woken::Nudge,
        }
    }

    fn write_when_due(&mut self, course: &mut Course) {
        if course.dirty.is_some_and(|since| since + CHECKPOINT_DELAY <= self.world.elapsed()) {
            course.dirty = None;
            // Nobody waits: what is behind it in the queue is durable after it, and a crash repeats it at worst.
            if let Err(error) = self.write(course) {
                eprintln!("mapping {}: the checkpoint was not written: {error}", self.mapping.id);
            }
        }
    }

    fn write(&mut self, course: &Course) -> Result<store::Commit, String> {
        for (point, lane) in self.checkpoint.lanes.iter_mut().zip(&course.lanes) {
            *point = LanePoint { position: lane.position(), totals: lane.totals() };
        }
        self.checkpoint.window = course.lanes[0].window().cloned();
        self.checkpoint.ended = course.lanes.iter().all(|lane| lane.is_finished() && lane.is_done());
        self.keep.put_checkpoint(&self.mapping.id, &self.name, &self.checkpoint)
    }

    /// Writes the last checkpoint and waits for it: after a clean stop nothing is repeated.
    async fn finish(mut self, course: Course) -> Finish {
        self.tell_flow(&course);
        match self.write(&course) {
            Ok(commit) => drop(commit.await),
            Err(error) => eprintln!("mapping {}: the checkpoint was not written: {error}", self.mapping.id),
        }
        if self.checkpoint.ended { Finish::Ended } else { Finish::Stopped }
    }

    fn tell_flow(&self, course: &Course) {
        let mut flow = Flow::default();
        let mut stuck = Vec::new();
        for (lane, heard) in course.lanes.iter().zip(&course.reports) {
            flow.totals = flow.totals + lane.totals();
            flow.pending += lane.pending();
            flow.oldest = flow.oldest.into_iter().chain(lane.oldest()).min();
            if let Some(blockage) = lane.blockage() {
                stuck.push(Stuck { blockage, error: heard.error.clone() });
            }
        }
        self.gauges.tell(&self.name, flow, stuck);
    }
}

/// The first delivery that comes back.
async fn settled(flights: &mut [Option<Flight>]) -> (usize, Landed) {
    poll_fn(|context| match landed(flights, context) {
        Some(landed) => Poll::Ready(landed),
        None => Poll::Pending,
    })
    .await
}

/// Sees that what is to be sent is under way: reading and encoding more takes longer than handing it over.
async fn launched(flights: &mut [Option<Flight>]) -> Option<(usize, Landed)> {
    let back = poll_fn(|context| Poll::Ready(landed(flights, context))).await;
    if back.is_none() && flights.iter().any(Option::is_some) {
        // Whom it woke goes first.
        tokio::task::yield_now().await;
    }
    back
}

fn landed(flights: &mut [Option<Flight>], context: &mut Context<'_>) -> Option<(usize, Landed)> {
    for (lane, slot) in flights.iter_mut().enumerate() {
        if let Some(flight) = slot
            && let Poll::Ready(landed) = flight.as_mut().poll(context)
        {
            *slot = None;
            return Some((lane, landed));
        }
    }
    None
}

async fn sleep(delay: Option<Duration>) {
    match delay {
        Some(delay) => tokio::time::sleep(delay).await,
        None => std::future::pending().await,
    }
}

/// Deals records to lanes: all changes of an item go to one.
fn key_hash(record: &Record) -> u32 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut add = |bytes: &[u8]| {
        for byte in bytes {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    };
    for attribute in record.keys().iter() {
        let Ok((name, value)) = attribute else { continue };
        add(name.as_bytes());
        match value {
            model::ValueView::S(text) => add(text.as_bytes()),
            model::ValueView::B(bytes) => add(bytes),
            model::ValueView::N(number) => add(number.as_bytes()),
            _ => {}
        }
    }
    (hash >> 32) as u32
}
