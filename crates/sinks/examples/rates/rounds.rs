//! The bare sides, the snapshot and the stream, one after the other, several times: the machine's speed changes
//! meanwhile, so each round has its own ratios, and the medians count.

use super::bare;
use super::inside::Inside;
use super::runner::Pipeline;
use super::source::Source;
use super::{Bench, LANES, Result, Taken};
use sql::{Connection, Settings};

pub const ROUNDS: usize = 5;

struct Round {
    fill: Taken,
    change: Taken,
    scan: Taken,
    records: Taken,
    snapshot: Taken,
    stream: Taken,
    /// The same two in the server.
    inside: [Taken; 2],
}

/// The rate of the stream, and the pipeline that it came from.
pub fn measure(
    bench: &Bench,
    sources: (&Source, &Inside),
    pipeline: &Pipeline,
    settings: &Settings,
) -> Result<(f64, Pipeline)> {
    let mut rounds = Vec::new();
    let mut last = None;
    for number in 1..=ROUNDS {
        let own = pipeline.again(number)?;
        let within = pipeline.inside(number)?;
        rounds.push(round(bench, sources, [&own, &within], settings, number)?);
        Connection::open(settings)?.batch(&format!("DROP TABLE {}", within.table))?;
        if let Some(before) = last.replace(own) {
            Connection::open(settings)?.batch(&format!("DROP TABLE {}", before.table))?;
        }
    }
    let last = last.ok_or("there are rounds")?;
    Ok((tell(bench, &rounds), last))
}

fn round(
    bench: &Bench,
    (source, inside): (&Source, &Inside),
    [pipeline, within]: [&Pipeline; 2],
    settings: &Settings,
    number: usize,
) -> Result<Round> {
    let lanes = if settings.to_string().starts_with("sqlite") { 1 } else { LANES };
    let [fill, change] = bare::rates(bench, settings, lanes)?;
    let scan = bench.taken(Some(source), || source.scan())?;
    let snapshot = bench.taken(Some(source), || pipeline.once())?;
    let heads = source.heads()?;
    source.change_all(bench, number)?;
    let records = bench.taken(Some(source), || source.read_records(heads))?;
    let stream = bench.taken(Some(source), || pipeline.once())?;
    // A process that starts, asks, and ends is no row's.
    let nothing = bench.taken(Some(source), || pipeline.once())?;
    let inside = inside.measure(bench, within, number)?;
    Ok(Round { fill, change, scan, records, snapshot: snapshot - nothing, stream: stream - nothing, inside })
}

fn tell(bench: &Bench, rounds: &[Round]) -> f64 {
    let rates = |of: fn(&Round) -> &Taken| rounds.iter().map(|round| bench.rate(of(round))).collect();
    let told = |name: &str, of: fn(&Round) -> &Taken, ratios: &[(Vec<f64>, &str)]| {
        let rate = median(rates(of)).0;
        let ratios = ratios.iter().map(|(ratios, of)| {
            let (middle, least, most) = median(ratios.clone());
            format!("{middle:.0} % {of} ({least:.0} to {most:.0})")
        });
        println!("  {name:<28}{rate:>10.0} /s  {}", ratios.collect::<Vec<_>>().join(", "));
        let mut by_time: Vec<&Taken> = rounds.iter().map(of).collect();
        by_time.sort_by(|one, other| one.seconds.total_cmp(&other.seconds));
        println!("  {:>40}  {}", "", by_time[by_time.len() / 2].cpu.told());
        rate
    };
    let percent = |of: &dyn Fn(&Round) -> f64| rounds.iter().map(|round| 100.0 * of(round)).collect();
    let rate_of = |taken: &Taken| bench.rate(taken);
    // Source and target share the cores here: what one of them uses the other has not.
    let shared = |one: &Taken, two: &Taken| 1.0 / (1.0 / rate_of(one) + 1.0 / rate_of(two));
    told("bulk insert, bare", |round| &round.fill, &[]);
    told("bulk upsert, bare", |round| &round.change, &[]);
    told("scan, bare", |round| &round.scan, &[]);
    told("records, bare", |round| &round.records, &[]);
    let of_lower =
        percent(&|round| rate_of(&round.snapshot) / rate_of(&round.scan).min(rate_of(&round.fill)));
    let of_both = percent(&|round| rate_of(&round.snapshot) / shared(&round.scan, &round.fill));
    let both = "of both, one after the other";
    told(
        "snapshot",
        |round| &round.snapshot,
        &[(of_lower, "of the lower of scan and insert"), (of_both, both)],
    );
    let of_upsert = percent(&|round| rate_of(&round.stream) / rate_of(&round.change));
    let of_both = percent(&|round| rate_of(&round.stream) / shared(&round.records, &round.change));
    let rate = told("stream", |round| &round.stream, &[(of_upsert, "of the bare upsert"), (of_both, both)]);
    let of_lower =
        percent(&|round| rate_of(&round.inside[0]) / rate_of(&round.scan).min(rate_of(&round.fill)));
    told(
        "snapshot, in the server",
        |round| &round.inside[0],
        &[(of_lower, "of the lower of scan and insert")],
    );
    let of_upsert = percent(&|round| rate_of(&round.inside[1]) / rate_of(&round.change));
    told("stream, in the server", |round| &round.inside[1], &[(of_upsert, "of the bare upsert")]);
    rate
}

/// With the least and the most.
fn median(mut list: Vec<f64>) -> (f64, f64, f64) {
    list.sort_by(f64::total_cmp);
    (list[list.len() / 2], list[0], list[list.len() - 1])
}
