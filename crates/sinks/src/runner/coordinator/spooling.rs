//! When records are kept on disk, what is told of it, and a target that is away from the start.

use super::Coordinator;
use crate::join::{Mark, Track};
use crate::runner::Stop;
use crate::runner::begin::{Begun, Pipeline};
use crate::runner::progress::Report;
use crate::spool::{Keeper, Spool, Stand};
use crate::targets::Kept;
use crate::{Error, Kind};
use std::time::Duration;

const SPOOL_AFTER_S: u64 = 3600;
const SPOOL_MAX_MB: u64 = 1024;
const PAUSE_FIRST: Duration = Duration::from_millis(200);
const PAUSE_MOST: Duration = Duration::from_secs(10);

impl Pipeline {
    pub(super) fn spool(&self) -> Result<Option<Spool>, Error> {
        let Some(root) = &self.config.spool else { return Ok(None) };
        let bytes_max = self.config.spool_max_mb.unwrap_or(SPOOL_MAX_MB) << 20;
        Spool::open(root, &self.config.name, bytes_max).map(Some)
    }

    /// Time until the stream may forget a record that is neither applied nor in the spool, as far as was noted.
    pub fn until_loss(&self, kept: &Kept) -> Duration {
        let spool = self.config.spool.as_ref();
        let secured_ms = spool.map_or(0, |root| Spool::secured_ms(root, &self.config.name, &kept.stream));
        let safe_ms = kept.confirmed_ms.max(secured_ms);
        let unsafe_ms = self.world.now().millis().saturating_sub(safe_ms);
        Duration::from_millis(self.kept_for_ms().saturating_sub(unsafe_ms))
    }
}

impl<'a> Keeper<'a> {
    pub(super) fn of(pipeline: &'a Pipeline, spool: &'a Spool, stream: &'a str) -> Keeper<'a> {
        let Pipeline { source_table: table, login, world, .. } = pipeline;
        Keeper { spool, table, login, world, stream, kept_for_ms: pipeline.kept_for_ms() }
    }
}

impl Coordinator<'_> {
    pub(super) fn made_durable(&mut self, lane: usize, track: &Track, mark: Option<&Mark>, end: bool) {
        self.durable.committed(lane, track, mark, end);
        if let Track::Shard(shard) = track
            && end
            && self.durable.is_finished(shard)
        {
            self.finish.push(shard.clone());
            self.confirm_due = self.now();
        }
        if let (Some(spool), Track::Shard(shard)) = (self.spool, track) {
            if self.durable.is_finished(shard) {
                spool.finished(shard);
            } else if let Some(position) = self.durable.position(shard) {
                spool.applied(shard, position);
            }
        }
    }

    /// For how long nothing has been known to be safe: applied, or in the spool.
    pub(super) fn unsafe_ms(&mut self) -> u64 {
        let secured_ms = self.spool.map_or(0, |spool| spool.stand().secured_ms);
        let safe_ms = self.durable.floor_ms().max(secured_ms);
        self.pipeline.world.now().millis().saturating_sub(safe_ms)
    }

    /// The older a record becomes without being applied, the nearer it is to being lost.
    pub(super) fn look_after_the_spool(&mut self, report: &mut dyn FnMut(Report)) {
        let Some(spool) = self.spool else { return };
        let after_ms = self.pipeline.config.spool_after_seconds.unwrap_or(SPOOL_AFTER_S) * 1000;
        let age_ms = self.pipeline.world.now().millis().saturating_sub(self.durable.floor_ms());
        for (shard, position) in self.durable.open_shards() {
            if let Some(position) = position {
                spool.applied(shard, position);
            }
        }
        if age_ms > after_ms {
            let parent = |shard: &str| self.taken.join.parent(shard).map(Into::into);
            let open = self.durable.open_shards();
            spool.follow(open.map(|(id, at)| (id.clone(), parent(id), at.cloned())).collect());
        }
        let stand = spool.stand();
        tell(&self.spool_told, &stand, report);
        self.spool_told = stand;
    }
}

fn tell(before: &Stand, now: &Stand, report: &mut dyn FnMut(Report)) {
    let mut note = |text: String| report(Report::Note(text));
    if now.is_active && !before.is_active {
        note("the target is behind: what the source has is kept in the spool".to_owned());
    }
    if !now.is_active && before.is_active {
        note("the spool is empty again".to_owned());
    }
    match (&before.full, &now.full) {
        (None, Some(why)) => {
            note(format!("the spool takes no more ({why}): records wait in the stream, which forgets them"));
        }
        (Some(_), None) => note("the spool has room again".to_owned()),
        _ => {}
    }
}

/// Takes the pipeline, as often as that takes. A spool that an earlier run left is filled on while the target does not
/// answer. None: told to stop meanwhile.
pub(super) fn take(
    pipeline: &Pipeline,
    spool: Option<&Spool>,
    once: bool,
    stop: &Stop,
    report: &mut dyn FnMut(Report),
) -> Result<Option<Begun>, Error> {
    let first = match pipeline.take() {
        Err(error) if error.kind == Kind::Unreachable && stop.is_set() => return Ok(None),
        Err(error) if error.kind == Kind::Unreachable && !once => error,
        done => return done.map(Some),
    };
    let filled = spool.and_then(|spool| Some((spool, spool.stream()?)));
    let what = if filled.is_some() { "what the source has is kept in the spool" } else { "trying again" };
    report(Report::Note(format!("{}; {what}", first.message)));
    let taken = stop.inner();
    let keeping = pipeline.until(&taken);
    std::thread::scope(|scope| {
        if let Some((spool, stream)) = &filled {
            scope.spawn(|| Keeper::of(&keeping, spool, stream).run(&taken));
        }
        let mut pause = PAUSE_FIRST;
        let mut told = Stand::default();
        let ended = loop {
            let until = pipeline.world.elapsed() + pause;
            while pipeline.world.elapsed() < until && !stop.is_set() {
                std::thread::sleep(Duration::from_millis(20));
            }
            if stop.is_set() {
                break Ok(None);
            }
            match pipeline.take() {
                Err(error) if error.kind == Kind::Unreachable => pause = (pause * 2).min(PAUSE_MOST),
                done => break done.map(Some),
            }
            let Some((spool, _)) = &filled else { continue };
            let stand = spool.stand();
            tell(&told, &stand, report);
            let unsafe_ms = pipeline.world.now().millis().saturating_sub(stand.secured_ms);
            let left_s = pipeline.kept_for_ms().saturating_sub(unsafe_ms) / 1000;
            if stand.full.is_some() {
                report(Report::Note(format!("{left_s} s until records are lost")));
            }
            told = stand;
        };
        taken.stop();
        ended
    })
}
