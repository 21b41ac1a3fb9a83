//! From the file to a pipeline that can run: endpoints, credentials, mapping, and the plan of a first run.

use crate::config::{self, Config};
use crate::join::{Join, Plan, Stored};
use crate::mapping::{Column, Keying, Mapping, derive, file_columns};
use crate::source::{Description, Login, Table};
use crate::target::{Kept, Retried, State, check_table, make_table, retry};
use crate::{Error, Kind};
use sql::{Connection, Dialect, Settings, Tls};
use std::collections::BTreeMap;
use wire::sigv4::Credentials;
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
    pub target: Settings,
    pub world: World,
}

/// What a pipeline would do.
#[derive(Debug)]
pub struct Planned {
    pub description: Description,
    pub mapping: Mapping,
    /// Columns that no file names.
    pub derived: Vec<Column>,
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
            login: login(source)?,
            target: settings(target)?,
            world: world.clone(),
        })
    }

    pub fn name(&self) -> &str {
        &self.config.name
    }

    pub fn source(&self) -> Result<Table, Error> {
        Table::open(&self.source_table, &self.login, &self.world)
    }

    pub fn state(&self) -> Result<State, Error> {
        State::open(&self.target, &self.config.name)
    }

    /// What the target remembers. A file that is not there is not made for that.
    pub fn kept(&self) -> Result<Option<Kept>, Error> {
        match self.is_there() {
            true => self.state()?.load(),
            false => Ok(None),
        }
    }

    fn is_there(&self) -> bool {
        match &self.target.place {
            sql::Place::Sqlite(file) => file.path.exists(),
            sql::Place::Server(_) => true,
        }
    }

    pub fn dialect(&self) -> Dialect {
        self.target.dialect()
    }

    /// The mapping, without writing anything. `kept`: what an earlier run derived stays.
    pub fn plan(&self, kept: Option<&Kept>) -> Result<Planned, Error> {
        let mut source = self.source()?;
        let description = source.describe()?;
        let (columns, derived) = match (file_columns(&self.config)?, kept) {
            (Some(columns), kept) => (columns, kept.map(|kept| kept.derived.clone()).unwrap_or_default()),
            (None, Some(kept)) => (Vec::new(), kept.derived.clone()),
            (None, None) => {
                let sample = source.scan(0, 1, None, Some(SAMPLE))?.items;
                (Vec::new(), derive::columns(&description.schema, &self.config.drop, &sample))
            }
        };
        let mut config = self.config.clone();
        if config.columns.is_none() && config.rest.is_none() {
            let column = "attributes".to_owned();
            config.rest =
                Some(config::Rest::Column(config::RestColumn { column, form: config::Form::Typed }));
        }
        let all = columns.iter().chain(&derived).cloned().collect();
        let mapping = Mapping::compile(&config, &self.source_table, &description.schema, all)?;
        Ok(Planned { description, mapping, derived })
    }

    /// What can be known before anything is written.
    pub fn check(&self) -> Result<Planned, Error> {
        let kept = self.kept()?;
        let planned = self.plan(kept.as_ref())?;
        self.fits(&planned)?;
        self.source()?.shards(self.stream(&planned)?)?;
        let missing = || {
            let message = format!("there is no table {} and create = false", planned.mapping.table);
            Error::config(message)
        };
        if !self.is_there() {
            return if self.config.create { Ok(planned) } else { Err(missing()) };
        }
        let mut state = self.state()?;
        check_table(&mut state.connection, &planned.mapping)?;
        if !self.config.create && state.connection.table(&planned.mapping.table)?.is_none() {
            return Err(missing());
        }
        match &kept {
            Some(kept) => self.same(kept, &planned)?,
            None => must_be_empty(&mut state.connection, &planned.mapping)?,
        }
        Ok(planned)
    }

    /// Empties the target's table and forgets where the pipeline was, so that it begins again with a snapshot.
    pub fn reset(&self) -> Result<(), Error> {
        let mut state = self.state()?;
        if state.load()?.is_none() {
            return Err(Error::config(format!("pipeline '{}' has not begun", self.config.name)));
        }
        state.reset(self.config.table.as_deref().unwrap_or(&self.source_table))
    }

    /// Tries again what is in quarantine.
    pub fn retry(&self) -> Result<Retried, Error> {
        let mut state = self.state()?;
        let Some(kept) = state.load()? else {
            return Err(Error::config(format!("pipeline '{}' has not begun", self.config.name)));
        };
        let planned = self.plan(Some(&kept))?;
        self.same(&kept, &planned)?;
        retry(&mut state, &mut self.source()?, &planned.mapping, &planned.description.schema)
    }

    fn stream<'p>(&self, planned: &'p Planned) -> Result<&'p str, Error> {
        planned.description.stream.as_deref().ok_or_else(|| {
            Error::config(format!(
                "table {0} has no stream: aws dynamodb update-table --table-name {0} --stream-specification StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES",
                self.source_table
            ))
        })
    }

    /// Whether the stream says what the mapping needs.
    fn fits(&self, planned: &Planned) -> Result<(), Error> {
        self.stream(planned)?;
        let view = planned.description.view.as_str();
        let enough = match planned.mapping.keying {
            Keying::Moving => view == "NEW_AND_OLD_IMAGES",
            Keying::Fixed | Keying::Shared(_) => view == "NEW_AND_OLD_IMAGES" || view == "NEW_IMAGE",
        };
        match enough {
            true => Ok(()),
            false => Err(Error::config(format!(
                "the stream of {} has the view {view}, and this mapping needs NEW_AND_OLD_IMAGES",
                self.source_table
            ))),
        }
    }

    /// Whether what an earlier run wrote goes together with what this one would.
    fn same(&self, kept: &Kept, planned: &Planned) -> Result<(), Error> {
        let again =
            format!("`millstream replicate FILE resync {}` begins again with a snapshot", self.config.name);
        if planned.description.stream.as_ref() != Some(&kept.stream) {
            return Err(Error::new(
                Kind::Gap,
                format!(
                    "table {} has another stream than the one that was followed ({}): it was made anew; {again}",
                    self.source_table, kept.stream
                ),
            ));
        }
        if kept.fingerprint != self.fingerprint() {
            return Err(Error::config(format!(
                "pipeline '{}': the mapping has changed since its rows were written; {again}",
                self.config.name
            )));
        }
        Ok(())
    }

    /// Settings that decide what a row is.
    fn fingerprint(&self) -> String {
        let config = &self.config;
        format!(
            "1 {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?}",
            self.source_table,
            config.table,
            config.key,
            config.columns,
            config.rest,
            config.drop,
            config.filter,
            config.filter_names,
            config.filter_values,
            config.conflicts
        )
    }

    fn lanes(&self, mapping: &Mapping) -> usize {
        // A file has one writer; claims of one row must see each other.
        if self.dialect() == Dialect::Sqlite || matches!(mapping.keying, Keying::Shared(_)) {
            return 1;
        }
        self.config.lanes.unwrap_or(LANES)
    }

    /// Takes the pipeline: the plan of an earlier run, or one that is written now, before the first row is read.
    pub(super) fn take(&self, state: &mut State) -> Result<Taken, Error> {
        let kept = state.load()?;
        let planned = self.plan(kept.as_ref())?;
        self.fits(&planned)?;
        let resumed = kept.is_some();
        match &kept {
            Some(kept) => self.same(kept, &planned)?,
            None => must_be_empty(&mut state.connection, &planned.mapping)?,
        }
        state.prepare()?;
        make_table(&mut state.connection, &planned.mapping, self.config.create)?;
        if kept.is_none() {
            let stream = self.stream(&planned)?.to_owned();
            let shards = self.source()?.shards(&stream)?;
            let of =
                |closed| shards.iter().filter(move |s| s.closed == closed).map(|s| s.id.clone()).collect();
            let begun_ms = self.world.now().millis();
            let plan = Plan {
                lanes: self.lanes(&planned.mapping),
                segments: self.config.scan_segments,
                past: of(true),
                captured: of(false),
            };
            state.begin(&Kept {
                source: self.source_table.clone(),
                stream,
                fingerprint: self.fingerprint(),
                derived: planned.derived.clone(),
                epoch: begun_ms as i64,
                begun_ms,
                confirmed_ms: begun_ms,
                consistent_ms: 0,
                paused: false,
                stored: Stored { plan, marks: BTreeMap::new(), scanned: false },
            })?;
        }
        let epoch = state.take()?;
        // What it is now that nobody else writes it.
        let Some(mut kept) = state.load()? else {
            return Err(Error::new(Kind::Target, "what was just written is not there"));
        };
        let levelled = kept.stored.level();
        state.level(&levelled)?;
        let join = Join::new(kept.stored.clone(), !resumed);
        Ok(Taken { kept, planned, epoch, join, resumed })
    }
}

pub(super) struct Taken {
    pub kept: Kept,
    pub planned: Planned,
    pub epoch: i64,
    pub join: Join,
    pub resumed: bool,
}

/// A first snapshot fills what is missing: rows that are there already would stay, right or wrong.
fn must_be_empty(connection: &mut Connection, mapping: &Mapping) -> Result<(), Error> {
    if connection.table(&mapping.table)?.is_none() {
        return Ok(());
    }
    let sql = format!("SELECT 1 FROM {} LIMIT 1", connection.dialect().quoted(&mapping.table));
    match connection.query(&sql, &[])?.rows.is_empty() {
        true => Ok(()),
        false => Err(Error::config(format!(
            "table {} has rows, and this pipeline has not begun: empty it, or give table = \"another\"",
            mapping.table
        ))),
    }
}

fn login(source: &config::Source) -> Result<Login, Error> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let region = source.region.clone();
    let region = region.or_else(|| variable("AWS_REGION")).or_else(|| variable("AWS_DEFAULT_REGION"));
    let endpoint = source.endpoint.clone().or_else(|| variable("AWS_ENDPOINT_URL_DYNAMODB"));
    let endpoint = endpoint.or_else(|| variable("AWS_ENDPOINT_URL"));
    let own_streams = variable("AWS_ENDPOINT_URL_DYNAMODB_STREAMS").filter(|_| source.endpoint.is_none());
    let is_aws = endpoint.is_none();
    let (endpoint, streams_endpoint) = match (endpoint, &region) {
        (Some(endpoint), _) => (endpoint.clone(), own_streams.unwrap_or(endpoint)),
        (None, Some(region)) => (
            format!("https://dynamodb.{region}.amazonaws.com"),
            format!("https://streams.dynamodb.{region}.amazonaws.com"),
        ),
        (None, None) => {
            return Err(Error::config(
                "a source has an endpoint, or a region of AWS (region = …, AWS_REGION)",
            ));
        }
    };
    let given = |own: &Option<String>, name: &str| own.clone().or_else(|| variable(name));
    let (access_key, secret) = match (
        given(&source.access_key_id, "AWS_ACCESS_KEY_ID"),
        given(&source.secret_access_key, "AWS_SECRET_ACCESS_KEY"),
    ) {
        (Some(key), Some(secret)) => (key, secret),
        // A Millstream takes any.
        _ if !is_aws => ("any".to_owned(), "any".to_owned()),
        _ => {
            return Err(Error::config(
                "AWS needs credentials: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or both in the source",
            ));
        }
    };
    let session_token = given(&source.session_token, "AWS_SESSION_TOKEN");
    let credentials = Credentials { access_key, secret, session_token };
    let region = region.unwrap_or_else(|| "us-east-1".to_owned());
    Ok(Login { endpoint, streams_endpoint, region, credentials })
}

fn settings(target: &config::Target) -> Result<Settings, Error> {
    let told = |error: sql::Error| Error::config(format!("target: {}", error.message));
    if let Some(path) = &target.sqlite {
        return Ok(Settings::sqlite(path));
    }
    let (url, wanted) = match (&target.postgres, &target.mysql) {
        (Some(url), _) => (url, Dialect::Postgres),
        (_, Some(url)) => (url, Dialect::Mysql),
        _ => return Err(Error::config("a target is sqlite, postgres or mysql")),
    };
    let mut settings = Settings::parse(url).map_err(told)?;
    if settings.dialect() != wanted {
        return Err(Error::config(format!("target: {settings} is no URL of this kind of database")));
    }
    if let sql::Place::Server(server) = &mut settings.place {
        if let Some(tls) = &target.tls {
            server.tls = Tls::parse(tls).map_err(told)?;
        }
        match (&mut server.tls, &target.tls_ca) {
            (Tls::VerifyFull { ca }, Some(path)) => *ca = Some(path.into()),
            (_, Some(_)) => return Err(Error::config("target: tls_ca needs tls = \"verify-full\"")),
            _ => {}
        }
    }
    Ok(settings)
}
