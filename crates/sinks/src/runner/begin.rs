//! From the file to a pipeline that can run: endpoints, credentials, mapping, and the plan of a first run.

use super::Stop;
use super::patience::patiently;
use super::progress::Report;
use crate::config::{self, Config};
use crate::join::{Join, Plan, Stored};
use crate::mapping::{Column, Keying, Makes, Mapping, derive, file_columns};
use crate::source::{Description, InProcess, Login, Part, Service, Table};
use crate::targets::{Kept, Ledger, Marks, Place, Retried, retry};
use crate::{Error, Kind};
use model::Item;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use world::World;

/// Items that a mapping is derived from.
const SAMPLE: usize = 500;
const LANES: usize = 4;

/// One pipeline of the file, with all that it names.
#[derive(Clone)]
pub struct Pipeline {
    pub config: config::Pipeline,
    pub source_table: String,
    pub login: Login,
    /// The source's, where they are in this process.
    pub(super) tables: Option<Arc<dyn InProcess>>,
    retention_ms: u64,
    pub target: Place,
    pub world: World,
    file: Arc<Config>,
}

/// What a pipeline would do.
#[derive(Debug)]
pub struct Planned {
    pub description: Description,
    pub mapping: Mapping,
    /// Columns that no file names.
    pub derived: Vec<Column>,
}

impl Planned {
    /// What goes to quarantine because the table's columns hold less than the mapping says.
    pub fn notes(&self) -> Vec<String> {
        let note = |(column, bound)| {
            format!("column {column} of table {} holds {bound}: others go to quarantine", self.mapping.table)
        };
        self.mapping.bounds().map(note).collect()
    }
}

impl Pipeline {
    pub fn of(config: &Config, pipeline: &config::Pipeline, world: &World) -> Result<Pipeline, Error> {
        // The file was checked: both names are there.
        let (Some(source), Some(target)) =
            (config.source.get(&pipeline.from), config.target.get(&pipeline.to))
        else {
            return Err(Error::config("a pipeline's source and target are there"));
        };
        Ok(Pipeline {
            config: pipeline.clone(),
            source_table: source.table.clone(),
            login: Login::of(&source.place(), Service::DynamoDb)?,
            tables: None,
            retention_ms: source.retention_seconds.saturating_mul(1000),
            target: Place::of(target)?,
            file: Arc::new(config.clone()),
            world: world.clone(),
        })
    }

    /// The same pipeline with what secrets say now; none: they say the same.
    pub(super) fn renewed(&self) -> Result<Option<Pipeline>, Error> {
        let file = self.file.again(&self.world)?;
        let same = |one: &Config, two: &Config| {
            one.source.get(&self.config.from) == two.source.get(&self.config.from)
                && one.target.get(&self.config.to) == two.target.get(&self.config.to)
        };
        if same(&file, &self.file) {
            return Ok(None);
        }
        let renewed = Pipeline::of(&file, &self.config, &self.world)?;
        Ok(Some(Pipeline { tables: self.tables.clone(), ..renewed }))
    }

    /// The same pipeline, whose source's tables are in this process, too.
    pub fn with_tables(self, tables: Arc<dyn InProcess>) -> Pipeline {
        Pipeline { tables: Some(tables), ..self }
    }

    /// A record may be trimmed after this time; a little is kept for the way.
    pub(super) fn kept_for_ms(&self) -> u64 {
        self.retention_ms / 96 * 95
    }

    pub(super) fn has_secrets(&self) -> bool {
        self.file.has_secrets()
    }

    pub fn name(&self) -> &str {
        &self.config.name
    }

    pub(super) fn patience(&self) -> Duration {
        Duration::from_secs(self.config.patience_seconds)
    }

    /// The same pipeline, which waits for no answer of its source once this is set.
    pub(super) fn until(&self, given_up: &Stop) -> Pipeline {
        let mut pipeline = self.clone();
        pipeline.login.given_up = given_up.clone();
        pipeline
    }

    pub fn source(&self) -> Result<Table, Error> {
        Table::open(&self.source_table, &self.login, &self.world)
    }

    pub fn ledger(&self) -> Result<Box<dyn Ledger>, Error> {
        self.target.ledger(&self.config.name, &self.world)
    }

    /// By shard or segment and lane, how far the pipeline is.
    pub fn marks(&self, kept: &Kept) -> Result<Marks, Error> {
        self.ledger()?.marks(kept.stored.plan.lanes)
    }

    /// What the target remembers. A file that is not there is not made for that.
    pub fn kept(&self) -> Result<Option<Kept>, Error> {
        match self.target.is_there() {
            true => self.ledger()?.load(),
            false => Ok(None),
        }
    }

    /// The mapping, without writing anything. `kept`: what an earlier run derived stays.
    pub fn plan(&self, kept: Option<&Kept>) -> Result<Planned, Error> {
        let mut source = self.source()?;
        let description = source.describe()?;
        let makes = self.target.makes();
        let mut config = self.config.clone();
        if config.columns.is_none() && config.rest.is_none() {
            config.rest = Some(match makes {
                Makes::Items => config::Rest::Word("columns".to_owned()),
                Makes::Rows => config::Rest::Column(config::RestColumn {
                    column: "attributes".to_owned(),
                    form: config::Form::Typed,
                }),
            });
        }
        let (columns, derived) = match (file_columns(&self.config, makes)?, kept) {
            // A table needs no columns: attributes go as they come.
            (columns, _) if makes == Makes::Items => (columns.unwrap_or_default(), Vec::new()),
            (Some(columns), kept) => {
                let derived = kept.map(|kept| kept.grown(&config, &columns));
                (columns, derived.unwrap_or_default())
            }
            (None, Some(kept)) if !kept.derived.is_empty() => (Vec::new(), kept.derived.clone()),
            (None, _) => {
                let sample = source.scan(&Part { limit: Some(SAMPLE), ..Part::from(None) })?.items;
                (Vec::new(), self.derive(&config, &description, &sample))
            }
        };
        let all = columns.iter().chain(&derived).cloned().collect();
        let mapping = Mapping::compile(&config, &self.source_table, &description.schema, makes, all)?;
        self.is_another(&mapping)?;
        if let Place::Database(settings) = &self.target {
            mapping.suits(settings.dialect()).map_err(|error| self.named(error))?;
        }
        let mapping = match self.target.is_there() {
            true => self.ledger()?.within(mapping).map_err(|error| self.named(error))?,
            false => mapping,
        };
        Ok(Planned { description, mapping, derived })
    }

    fn derive(&self, config: &config::Pipeline, description: &Description, sample: &[Item]) -> Vec<Column> {
        let dialect = match &self.target {
            Place::Database(settings) => settings.dialect(),
            Place::Tables(_) => return Vec::new(),
        };
        let mut taken = Vec::new();
        if [Some(config.deletes), config.ttl_deletes].contains(&Some(config::Deletes::Soft)) {
            taken.push(config.deleted_at.as_str());
        }
        if let Some(config::Rest::Column(rest)) = &config.rest {
            taken.push(&rest.column);
        }
        derive::columns(&description.schema, &config.drop, sample, dialect, &taken)
    }

    /// An error of the mapping, by whose it is.
    fn named(&self, error: Error) -> Error {
        Error { message: format!("pipeline '{}': {}", self.config.name, error.message), ..error }
    }

    /// What can be known before anything is written.
    pub fn check(&self) -> Result<Planned, Error> {
        let kept = self.kept()?;
        let planned = self.plan(kept.as_ref())?;
        self.fits(&planned)?;
        self.source()?.shards(self.stream(&planned)?)?;
        match self.target.is_there() {
            true => drop(self.goes_together(self.ledger()?.as_mut(), kept.as_ref(), &planned)?),
            false => self.may_make(&planned.mapping, None)?,
        }
        Ok(planned)
    }

    /// Forgets where the pipeline was, so that it begins again with a snapshot. Its rows stay until then.
    pub fn begin_again(&self) -> Result<(), Error> {
        patiently(&self.world, || {
            let mut ledger = self.ledger()?;
            match ledger.load()? {
                Some(_) => ledger.again(),
                None => Err(Error::config(format!("pipeline '{}' has not begun", self.config.name))),
            }
        })
    }

    /// Tries again what is in quarantine.
    pub fn retry(&self) -> Result<Retried, Error> {
        patiently(&self.world, || self.try_again())
    }

    fn try_again(&self) -> Result<Retried, Error> {
        let mut ledger = self.ledger()?;
        let Some(kept) = ledger.load()? else {
            return Err(Error::config(format!("pipeline '{}' has not begun", self.config.name)));
        };
        let planned = self.plan(Some(&kept))?;
        self.same(&kept, &planned)?;
        retry(ledger.as_mut(), &mut self.source()?, &planned.mapping, &planned.description.schema)
    }

    fn lanes(&self, mapping: &Mapping) -> usize {
        // A file has one writer; claims of one row must see each other.
        if self.target.is_single() || matches!(mapping.keying, Keying::Shared(_)) {
            return 1;
        }
        self.config.lanes.unwrap_or(LANES)
    }

    /// Takes the pipeline: the plan of an earlier run, or one that is written now, before the first row is read.
    pub(super) fn take(&self) -> Result<Begun, Error> {
        patiently(&self.world, || self.take_once())
    }

    fn take_once(&self) -> Result<Begun, Error> {
        // A file that is not there is made when nothing speaks against it.
        let kept = self.kept()?;
        let planned = self.plan(kept.as_ref())?;
        self.fits(&planned)?;
        let mut ledger = self.ledger()?;
        let (resumed, recopy) = self.goes_together(ledger.as_mut(), kept.as_ref(), &planned)?;
        ledger.prepare()?;
        ledger.make(&planned.mapping, self.config.create)?;
        if !resumed {
            let stream = self.stream(&planned)?.to_owned();
            let shards = self.source()?.shards(&stream)?;
            let of =
                |closed| shards.iter().filter(move |s| s.closed == closed).map(|s| s.id.clone()).collect();
            // Of items that claim one row the stream knows the newest, the scan does not.
            let heads = match planned.mapping.keying {
                Keying::Shared(_) => BTreeMap::new(),
                Keying::Fixed | Keying::Moving => self.heads(&stream, &shards)?,
            };
            let begun_ms = self.world.now().millis();
            let plan = Plan {
                lanes: self.lanes(&planned.mapping),
                segments: self.config.scan_segments,
                past: of(true),
                captured: of(false),
                heads,
                recopy,
                by_keys: true,
            };
            ledger.begin(&Kept {
                source: self.source_table.clone(),
                stream,
                fingerprint: self.fingerprint(),
                derived: planned.derived.clone(),
                epoch: begun_ms as i64,
                begun_ms,
                confirmed_ms: begun_ms,
                consistent_ms: 0,
                paused: false,
                again: false,
                stored: Stored { plan, marks: BTreeMap::new(), scanned: false },
            })?;
        }
        let epoch = ledger.take()?;
        // What it is now that nobody else writes it.
        let Some(mut kept) = ledger.load()? else {
            return Err(Error::new(Kind::Target, "what was just written is not there"));
        };
        kept.stored.marks = ledger.marks(kept.stored.plan.lanes)?;
        let levelled = kept.stored.level();
        ledger.level(&levelled)?;
        let join = Join::new(kept.stored.clone(), !resumed);
        Ok((Taken { kept, planned, epoch, join, resumed }, ledger))
    }
}

/// A pipeline that is this runner's, and what it remembers that by.
pub(super) type Begun = (Taken, Box<dyn Ledger>);

pub(super) struct Taken {
    pub kept: Kept,
    pub planned: Planned,
    pub epoch: i64,
    pub join: Join,
    pub resumed: bool,
}

impl Taken {
    /// How the run begins.
    pub(super) fn tell(&self, report: &mut dyn FnMut(Report)) {
        report(Report::Began { resumed: self.resumed });
        self.planned.notes().into_iter().for_each(|note| report(Report::Note(note)));
    }
}
