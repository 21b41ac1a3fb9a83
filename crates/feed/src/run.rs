//! One mapping at work: finds its stream's shards as they appear, and runs each, parents before their children.

use crate::checkpoint::Checkpoint;
use crate::filter::Filter;
use crate::gauges::{Flow, Gauges};
use crate::keep::Keep;
use crate::lane::Finish;
use crate::mapping::Mapping;
use crate::shard_run::ShardRun;
use crate::target::{Destination, Target};
use engine::stream::{Shard, Stream};
use engine::{Engine, Scope};
use std::collections::{HashMap, HashSet};
use std::convert::Infallible;
use std::sync::Arc;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use world::World;

pub(crate) struct Run {
    pub engine: Arc<Engine>,
    pub keep: Keep,
    pub world: World,
    pub gauges: Arc<Gauges>,
    pub mapping: Arc<Mapping>,
    pub target: Arc<dyn Target>,
    pub destination: Option<Arc<dyn Destination>>,
    /// Held by whatever may read more records.
    pub reading: mpsc::Sender<Infallible>,
}

impl Run {
    /// Runs until it is stopped. Everything in flight is settled, and every checkpoint durable, when it returns.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let Some(stream) = self.stream() else {
            self.gauges.tell_result(Some("Stream not found"));
            let _ = stop.wait_for(|stop| *stop).await;
            return;
        };
        let checkpoints = match self.keep.checkpoints(&self.mapping.id) {
            Ok(checkpoints) => checkpoints.into_iter().collect::<HashMap<_, _>>(),
            Err(why) => {
                world::say!("mapping {}: {why}", self.mapping.id);
                self.gauges.tell_result(Some("the checkpoint cannot be read"));
                let _ = stop.wait_for(|stop| *stop).await;
                return;
            }
        };
        let Ok(filter) = Filter::compile(&self.mapping.filters) else {
            self.gauges.tell_result(Some("Invalid filter pattern definition."));
            let _ = stop.wait_for(|stop| *stop).await;
            return;
        };
        let filter = Arc::new(filter);
        let mut shards = Shards { begun: HashSet::new(), ended: HashSet::new(), running: JoinSet::new() };
        for (name, checkpoint) in &checkpoints {
            if checkpoint.ended {
                // It may have come to its end since the mapping was taken up.
                self.gauges.tell(name, Flow { totals: checkpoint.totals(), ..Flow::default() }, vec![]);
                shards.begun.insert(name.clone());
                shards.ended.insert(name.clone());
            }
        }
        loop {
            let version = stream.version();
            self.begin(&stream, &checkpoints, &filter, &mut shards, &stop);
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => break,
                () = stream.changed(version) => {}
                Some(done) = shards.running.join_next() => {
                    if let Ok((name, Finish::Ended)) = done {
                        shards.ended.insert(name);
                    }
                }
            }
        }
        drop(self.reading);
        while shards.running.join_next().await.is_some() {}
    }

    fn stream(&self) -> Option<Arc<Stream>> {
        let (table, label) = table_and_label(&self.mapping.stream)?;
        let scope = Scope::new(&self.mapping.account, &self.mapping.region);
        self.engine.stream(&scope, table, label).ok()
    }

    /// Starts every shard whose parent has been read to its end.
    fn begin(
        &self,
        stream: &Arc<Stream>,
        checkpoints: &HashMap<String, Checkpoint>,
        filter: &Arc<Filter>,
        shards: &mut Shards,
        stop: &watch::Receiver<bool>,
    ) {
        let listed = stream.shards();
        let names: HashSet<String> = listed.iter().map(|shard| shard.id().to_string()).collect();
        for shard in listed {
            let name = shard.id().to_string();
            let waits = shard.parent().is_some_and(|parent| {
                let parent = parent.to_string();
                names.contains(&parent) && !shards.ended.contains(&parent)
            });
            if waits || !shards.begun.insert(name.clone()) {
                continue;
            }
            let run = self.shard_run(shard, &name, checkpoints.get(&name), filter);
            let stop = stop.clone();
            shards.running.spawn(async move { (name, run.run(stop).await) });
        }
    }

    fn shard_run(
        &self,
        shard: Arc<Shard>,
        name: &str,
        checkpoint: Option<&Checkpoint>,
        filter: &Arc<Filter>,
    ) -> ShardRun {
        let checkpoint = match checkpoint {
            Some(checkpoint) => checkpoint.clone().divide(self.mapping.lanes),
            None => Checkpoint::start(shard.start().0.max(self.mapping.start_position), self.mapping.lanes),
        };
        self.gauges.tell(name, Flow { totals: checkpoint.totals(), ..Flow::default() }, vec![]);
        ShardRun {
            engine: self.engine.clone(),
            keep: self.keep.clone(),
            world: self.world.clone(),
            gauges: self.gauges.clone(),
            mapping: self.mapping.clone(),
            target: self.target.clone(),
            destination: self.destination.clone(),
            filter: filter.clone(),
            shard,
            name: name.into(),
            checkpoint,
            reading: Some(self.reading.clone()),
        }
    }
}

struct Shards {
    begun: HashSet<String>,
    ended: HashSet<String>,
    running: JoinSet<(String, Finish)>,
}

/// `arn:aws:dynamodb:<region>:<account>:table/<table>/stream/<label>`
pub(crate) fn table_and_label(arn: &str) -> Option<(&str, &str)> {
    arn.split_once(":table/")?.1.split_once("/stream/")
}
