//! Reading the file: variables, unknown names with what was meant, and what has to fit together.

use super::fill::fill;
use super::{Config, Endpoint, Pipeline, Rest, Source, Target};
use crate::Error;
use crate::source::Secrets;
use std::path::Path;
use world::World;

impl Config {
    /// `home`: what is asked where the file names no endpoint; an empty one: what AWS's variables say.
    pub fn load(path: &Path, home: &Endpoint, world: &World) -> Result<Config, Error> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| Error::config(format!("{} cannot be read: {error}", path.display())))?;
        Config::parse(&text, home, world)
            .map_err(|error| Error { message: format!("{}: {}", path.display(), error.message), ..error })
    }

    pub fn parse(text: &str, home: &Endpoint, world: &World) -> Result<Config, Error> {
        let filled = fill(text, &mut Secrets::new(home, world))?;
        let mut config: Config = toml::from_str(&filled).map_err(|error| {
            // An error shows its line, which must not have the secrets in it.
            match toml::from_str::<Config>(text) {
                Err(error) => Error::config(explained(&error)),
                Ok(_) => Error::config(error.message()),
            }
        })?;
        config.check()?;
        config.source.values_mut().for_each(|source| source.settle(home));
        let tables = config.target.values_mut().filter_map(|target| target.dynamodb.as_mut());
        tables.for_each(|place| place.settle(home));
        (config.text, config.home) = (text.to_owned(), home.clone());
        Ok(config)
    }

    /// Whether something in it may say something else tomorrow.
    pub fn has_secrets(&self) -> bool {
        self.text.contains("${secret:") || self.text.contains("${file:")
    }

    /// The same file, with what its secrets say now.
    pub fn again(&self, world: &World) -> Result<Config, Error> {
        Config::parse(&self.text, &self.home, world)
    }

    fn check(&self) -> Result<(), Error> {
        if self.pipeline.is_empty() {
            return Err(Error::config("there is no [[pipeline]]"));
        }
        for (name, source) in &self.source {
            source.check().map_err(|message| Error::config(format!("source.{name}: {message}")))?;
        }
        for (name, target) in &self.target {
            target.check().map_err(|message| Error::config(format!("target.{name}: {message}")))?;
        }
        for (at, pipeline) in self.pipeline.iter().enumerate() {
            let name = &pipeline.name;
            let place = |pipeline: &Pipeline| {
                let table = self.source.get(&pipeline.from).map(|source| source.table.clone());
                (pipeline.to.clone(), pipeline.table.clone().or(table))
            };
            let refuse = |message: String| Err(Error::config(format!("pipeline '{name}': {message}")));
            if self.pipeline[..at].iter().any(|other| other.name == *name) {
                return refuse("two pipelines have this name".to_owned());
            }
            if let Some(other) = self.pipeline[..at].iter().find(|other| place(other) == place(pipeline)) {
                return refuse(format!(
                    "pipeline '{}' writes the same table: each would take away the other's rows; give table = \"another\"",
                    other.name
                ));
            }
            if name.is_empty() || name.len() > 100 {
                return refuse("a name has 1 to 100 characters".to_owned());
            }
            let sources = self.source.keys().map(String::as_str);
            if !self.source.contains_key(&pipeline.from) {
                return refuse(format!("from: {}", unknown(&pipeline.from, sources)));
            }
            if !self.target.contains_key(&pipeline.to) {
                return refuse(format!(
                    "to: {}",
                    unknown(&pipeline.to, self.target.keys().map(String::as_str))
                ));
            }
            if let Some(Rest::Word(word)) = &pipeline.rest
                && !["ignore", "columns"].contains(&word.as_str())
            {
                return refuse(format!(
                    "rest = \"{word}\": \"ignore\", \"columns\" or {{ column = \"name\", form = \"typed\" }}"
                ));
            }
            if !(1..=16).contains(&pipeline.lanes.unwrap_or(1)) {
                return refuse("lanes = 1 to 16".to_owned());
            }
            if !(1..=20_000).contains(&pipeline.batch_rows) {
                return refuse("batch_rows = 1 to 20000".to_owned());
            }
            if !(1..=86_400).contains(&pipeline.patience_seconds) {
                return refuse("patience_seconds = 1 to 86400".to_owned());
            }
            if !(1..=256).contains(&pipeline.scan_segments) {
                return refuse("scan_segments = 1 to 256".to_owned());
            }
            if pipeline.scan_units_per_second.is_some_and(|units| !units.is_finite() || units <= 0.0) {
                return refuse("scan_units_per_second is above 0".to_owned());
            }
            if pipeline.spool.is_none()
                && (pipeline.spool_max_mb.is_some() || pipeline.spool_after_seconds.is_some())
            {
                return refuse("spool_max_mb and spool_after_seconds need spool = \"directory\"".to_owned());
            }
            if pipeline.spool_max_mb == Some(0) {
                return refuse("spool_max_mb is 1 or more".to_owned());
            }
        }
        Ok(())
    }
}

impl Source {
    fn check(&self) -> Result<(), String> {
        match self.retention_seconds {
            0 => Err("retention_seconds is 1 or more".to_owned()),
            _ => self.place().check(),
        }
    }
}

impl Endpoint {
    fn check(&self) -> Result<(), String> {
        match &self.endpoint {
            Some(endpoint) if !endpoint.starts_with("http://") && !endpoint.starts_with("https://") => {
                Err(format!("endpoint = \"{endpoint}\" is no http:// or https:// URL"))
            }
            _ => Ok(()),
        }
    }
}

impl Target {
    fn check(&self) -> Result<(), String> {
        let databases = [&self.sqlite, &self.postgres, &self.mysql].into_iter().flatten().count();
        let has_tls = self.tls.is_some() || self.tls_ca.is_some();
        match (databases, &self.dynamodb) {
            (1, None) if self.sqlite.is_some() && has_tls => Err("a file has no tls".to_owned()),
            (1, None) => Ok(()),
            (0, Some(_)) if has_tls => {
                Err("tls is for databases: an endpoint that begins with https:// has it".to_owned())
            }
            (0, Some(place)) => place.check(),
            (0, None) => Err("one of sqlite, postgres, mysql, dynamodb is given".to_owned()),
            _ => Err("only one of sqlite, postgres, mysql, dynamodb is given".to_owned()),
        }
    }
}

/// The reader's message, and what was meant when a name is not known.
fn explained(error: &toml::de::Error) -> String {
    let told = error.to_string();
    let message = told.trim_end();
    let names: Vec<&str> = error.message().split('`').skip(1).step_by(2).collect();
    match names.split_first() {
        Some((wrong, known)) if error.message().starts_with("unknown") => {
            match nearest(wrong, known.iter().copied()) {
                Some(meant) => format!("{message}\ndid you mean `{meant}`?"),
                None => message.to_owned(),
            }
        }
        _ => message.to_owned(),
    }
}

pub(crate) fn unknown<'a>(wrong: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    let meant = nearest(wrong, known.clone()).map(|meant| format!("; did you mean '{meant}'?"));
    let known: Vec<&str> = known.collect();
    format!("there is no '{wrong}' among {}{}", known.join(", "), meant.unwrap_or_default())
}

fn nearest<'a>(wrong: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let near = known.map(|name| (distance(&wrong.to_lowercase(), &name.to_lowercase()), name)).min()?;
    // Of a short name too little would be left.
    let letters = wrong.chars().count();
    (near.0 <= 2.max(letters / 3).min(letters / 2)).then_some(near.1)
}

/// How many letters must be changed, added or taken away.
fn distance(one: &str, two: &str) -> usize {
    let two: Vec<char> = two.chars().collect();
    let mut row: Vec<usize> = (0..=two.len()).collect();
    for (at, letter) in one.chars().enumerate() {
        let mut corner = row[0];
        row[0] = at + 1;
        for (to, other) in two.iter().enumerate() {
            let changed = corner + usize::from(letter != *other);
            corner = row[to + 1];
            row[to + 1] = changed.min(corner + 1).min(row[to] + 1);
        }
    }
    row[two.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
        [source.shop]
        table = "Orders"
        endpoint = "http://127.0.0.1:4566"
        [target.here]
        sqlite = "orders.db"
        [[pipeline]]
        name = "orders"
        from = "shop"
        to = "here"
    "#;

    #[track_caller]
    fn refused(from: &str, to: &str, with: &str) {
        assert!(GOOD.contains(from));
        let error = Config::parse(&GOOD.replace(from, to), &Endpoint::default(), &World::simulated(1))
            .expect_err("refused")
            .message;
        assert!(error.contains(with), "{error}");
    }

    #[test]
    fn a_small_file_is_enough() {
        let config =
            Config::parse(GOOD, &Endpoint::default(), &World::simulated(1)).expect("a configuration");
        assert_eq!(config.pipeline[0].batch_rows, 1000);
        assert_eq!(config.source["shop"].endpoint.as_deref(), Some("http://127.0.0.1:4566"));
    }

    #[test]
    fn what_is_not_known_is_refused_with_what_was_meant() {
        refused("name =", "nmae =", "did you mean `name`?");
        refused("from = \"shop\"", "from = \"shpo\"", "did you mean 'shop'?");
        refused("sqlite =", "sqllite =", "did you mean `sqlite`?");
        refused("to = \"here\"", "to = \"here\"\ndeletes = \"sotf\"", "did you mean `soft`?");
        refused("to = \"here\"", "to = \"here\"\nrest = \"all\"", "\"columns\"");
        refused("endpoint = \"http:", "endpoint = \"ftp:", "no http:// or https://");
        refused("table =", "tabel =", "table");
        refused(
            "to = \"here\"",
            "to = \"here\"\nrest = { column = \"x\", form = \"json\" }",
            "form = \"plain\"",
        );
        refused("to = \"here\"", "to = \"here\"\ncolumns = { id = \"text\" }", "{ type = \"text\" }");
        refused("table =", "retention_seconds = 0\ntable =", "retention_seconds is 1 or more");
        let again = "to = \"here\"\n[[pipeline]]\nname = \"more\"\nfrom = \"shop\"\nto = \"here\"";
        refused("to = \"here\"", again, "pipeline 'orders' writes the same table");
    }

    #[test]
    fn nothing_is_guessed_of_what_is_not_alike() {
        assert!(unknown("shpo", ["shop"].into_iter()).ends_with("did you mean 'shop'?"));
        assert!(unknown("id", ["v"].into_iter()).ends_with("among v"));
        assert!(unknown("t", ["s"].into_iter()).ends_with("among s"));
    }

    #[test]
    fn secrets_come_from_elsewhere() {
        refused("orders.db", "${env:NO_SUCH_VARIABLE_HERE}", "the variable is not set");
        // An error tells the line as it was written.
        let path = std::env::var("PATH").expect("a path");
        let told = Config::parse(
            &GOOD.replace("orders.db\"", "${env:PATH}\" x"),
            &Endpoint::default(),
            &World::simulated(1),
        );
        let told = told.expect_err("refused").message;
        assert!(told.contains("${env:PATH}") && !told.contains(&path), "{told}");
        refused("orders.db", "${vault:x}", "${env:NAME}, ${file:PATH}, ${secret:NAME}");
    }
}
