//! One shard on its way to one mapping's target: reads, deals to lanes, hands over, keeps the checkpoint.
//!
//! Everything that is decided is decided by the lanes, which are pure; this is what waits for the world on their behalf.

use crate::checkpoint::{Checkpoint, LanePoint};
use crate::filter::Filter;
use crate::gauges::{Flow, Gauges, Stuck};
use crate::keep::Keep;
use crate::lane::{Action, Entry, Event, Finish, Lane, Moment};
use crate::mapping::Mapping;
use crate::target::{Batch, Buried, Delivered, Destination, Letter, Report, Target};
use crate::window::Frame;
use bytes::Bytes;
use engine::Engine;
use engine::stream::{Sequence, Shard};
use flights::{Departure, Flight, Landed, launched, settled};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use world::World;

mod flights;
mod read;

/// How long progress may go unwritten. A crash repeats no more than what was delivered in this time.
const CHECKPOINT_DELAY: Duration = Duration::from_millis(50);
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

    /// Hands over what is to lie ready behind batches that are under way.
    fn lay_ready(&self, course: &mut Course) {
        for (batch, ahead) in course.prepared.iter_mut().zip(&mut course.ahead) {
            if let Some(batch) = batch.take() {
                *ahead = self.target.clone().follow(batch);
            }
        }
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
                    let sequence = |entry: Option<&Entry<Bytes>>| {
                        entry.map(|entry| Sequence(entry.sequence).to_string()).unwrap_or_default()
                    };
                    world::say!(
                        "mapping {}: {} records of shard {} were given up ({} after {invocations} invocations), sequence numbers {} to {}",
                        self.mapping.id,
                        batch.len(),
                        self.name,
                        reason.condition(),
                        sequence(batch.first()),
                        sequence(batch.last()),
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
                world::say!("mapping {}: the checkpoint was not written: {error}", self.mapping.id);
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
            Err(error) => world::say!("mapping {}: the checkpoint was not written: {error}", self.mapping.id),
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

async fn sleep(delay: Option<Duration>) {
    match delay {
        Some(delay) => tokio::time::sleep(delay).await,
        None => std::future::pending().await,
    }
}
