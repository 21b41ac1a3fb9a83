//! What the house has done, for Prometheus.

use feed::Feed;
use functions::Functions;
use http::StatusCode;
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use store::Store;
use world::World;

pub(crate) struct Metrics {
    store: Store,
    functions: Functions,
    feed: Feed,
    world: World,
    /// Answers by the first digit of their status: 1xx to 5xx.
    answers: [AtomicU64; 5],
}

impl Metrics {
    pub fn new(store: Store, functions: Functions, feed: Feed, world: World) -> Metrics {
        Metrics { store, functions, feed, world, answers: Default::default() }
    }

    pub fn count(&self, status: StatusCode) {
        let class = usize::from(status.as_u16() / 100).clamp(1, 5) - 1;
        self.answers[class].fetch_add(1, Ordering::Relaxed);
    }

    pub fn text(&self) -> String {
        let mut out = String::new();
        let mut counter = |name: &str, help: &str, values: &[(String, u64)]| {
            let kind = if name.ends_with("_total") { "counter" } else { "gauge" };
            let _ = writeln!(out, "# HELP millstream_{name} {help}\n# TYPE millstream_{name} {kind}");
            for (labels, value) in values {
                let _ = writeln!(out, "millstream_{name}{labels} {value}");
            }
        };
        let one = |value: u64| vec![(String::new(), value)];
        let answers: Vec<_> = (1..=5)
            .zip(&self.answers)
            .map(|(class, count)| (format!("{{status=\"{class}xx\"}}"), count.load(Ordering::Relaxed)))
            .collect();
        counter("requests_total", "Requests answered, by class of status.", &answers);

        let store = self.store.stats();
        counter("store_updates_total", "Updates made durable.", &one(store.updates));
        counter("store_groups_total", "Groups of updates committed together.", &one(store.groups));
        counter("store_syncs_total", "Syncs to disk.", &one(store.syncs));
        counter(
            "stream_records_total",
            "Stream records written, and marks where shards begin and end.",
            &one(store.appended),
        );

        let functions = self.functions.stats();
        counter("invocations_total", "Function invocations.", &one(functions.invocations));
        counter("invocation_errors_total", "Invocations that failed.", &one(functions.errors));
        counter("invocation_throttles_total", "Invocations that were throttled.", &one(functions.throttles));
        counter("cold_starts_total", "Function environments started.", &one(functions.cold_starts));
        counter("environments", "Function environments alive.", &one(functions.environments));

        let mappings = self.feed.list();
        let now_ms = self.world.now().millis();
        let mut records = Vec::new();
        let mut ages = Vec::new();
        let (mut blocked, mut buried) = (Vec::new(), Vec::new());
        for found in &mappings {
            let (id, flow) = (&found.mapping.id, &found.flow);
            let fates = [
                ("delivered", flow.totals.delivered),
                ("filtered", flow.totals.filtered),
                ("dead-lettered", flow.totals.dead_lettered),
                ("dropped", flow.totals.dropped),
                ("pending", flow.pending),
            ];
            records
                .extend(fates.map(|(fate, count)| (format!("{{mapping=\"{id}\",fate=\"{fate}\"}}"), count)));
            let age_ms = flow.oldest.map_or(0, |oldest| now_ms.saturating_sub(oldest.millis()));
            let stuck = found.shards.iter().map(|(_, shard)| shard.stuck.len() as u64).sum();
            blocked.push((format!("{{mapping=\"{id}\"}}"), stuck));
            buried.push((format!("{{mapping=\"{id}\"}}"), found.burial_failures));
            ages.push((format!("{{mapping=\"{id}\"}}"), age_ms));
        }
        counter("mapping_records", "Records read by each mapping, by what became of them.", &records);
        counter("mapping_age_milliseconds", "The age of the oldest record not yet finished.", &ages);
        counter("mapping_blocked", "Batches that failed and are tried again, now.", &blocked);
        counter(
            "mapping_destination_failures_total",
            "How often the destination of given-up records did not take them.",
            &buried,
        );
        out
    }
}
