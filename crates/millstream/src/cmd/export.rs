//! `millstream export TABLE DIR`: a table's items as files of DynamoDB JSON, laid out as the service exports them.
//!
//! ```text
//! DIR/AWSDynamoDB/<id>/data/<name>.json.gz      {"Item":{…}} a line
//! DIR/AWSDynamoDB/<id>/manifest-files.json      a line for each data file
//! DIR/AWSDynamoDB/<id>/manifest-summary.json    written last: without it, the export is not whole
//! DIR/AWSDynamoDB/<id>/manifest-*.md5           the manifests' sums
//! ```

use super::Failure;
use super::args::Args;
use super::endpoint::Endpoint;
use serde_json::{Value, json};
use services::table_files::{DataFile, Summary, data_name, sum_of};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use world::World;

pub fn run(typed: Vec<OsString>) -> Result<(), Failure> {
    let args = Args::read(typed, &["endpoint"], &[])?;
    let [table, dir] = args.words.as_slice() else {
        return Err(Failure::Usage(
            "export takes a table and a directory: millstream export TABLE DIR".to_owned(),
        ));
    };
    let mut endpoint = Endpoint::of(args.values.get("endpoint"))?;
    let world = World::real();
    let described = endpoint.call("DynamoDB_20120810.DescribeTable", &json!({ "TableName": table }))?;
    let id = format!("{:014}-{}", world.now().millis(), world.hex(8));
    let mut export = Export {
        root: Path::new(dir).to_owned(),
        inside: format!("AWSDynamoDB/{id}"),
        world,
        id: id.clone(),
        lines: String::new(),
        files: 0,
        open: None,
        items: 0,
    };
    fs::create_dir_all(export.path("data"))?;
    let started = export.world.now();
    let mut asked = json!({ "TableName": table, "ConsistentRead": true });
    loop {
        let page = endpoint.call("DynamoDB_20120810.Scan", &asked)?;
        for item in page["Items"].as_array().into_iter().flatten() {
            export.put(item)?;
        }
        match &page["LastEvaluatedKey"] {
            Value::Null => break,
            key => asked["ExclusiveStartKey"] = key.clone(),
        }
    }
    export.close_file()?;
    let lines = export.lines.clone();
    export.write_manifest("manifest-files", &lines)?;
    let table = &described["Table"];
    let (told, manifest_key) = (
        |member: &str| table[member].as_str().unwrap_or_default(),
        format!("{}/manifest-files.json", export.inside),
    );
    let summary = Summary {
        arn: &format!("{}/export/{id}", told("TableArn")),
        started,
        ended: export.world.now(),
        table_arn: told("TableArn"),
        table_id: told("TableId"),
        from: None,
        to: started,
        both_images: false,
        bucket: None,
        encryption: None,
        manifest_key: &manifest_key,
        bytes: 0,
        items: export.items,
    };
    export.write_manifest("manifest-summary", &summary.text())?;
    tell!("{}: {} items in {} files", export.path("").display(), export.items, export.files);
    Ok(())
}

struct Export {
    root: PathBuf,
    /// Where in the root it lies.
    inside: String,
    id: String,
    world: World,
    /// Of the manifest, one for each data file.
    lines: String,
    files: usize,
    /// The data file that is being written, and its name.
    open: Option<(String, DataFile<BufWriter<File>>)>,
    items: u64,
}

impl Export {
    fn path(&self, name: &str) -> PathBuf {
        self.root.join(&self.inside).join(name)
    }

    fn put(&mut self, item: &Value) -> Result<(), Failure> {
        if self.open.is_none() {
            let name = format!("data/{}", data_name(&self.id, self.files));
            let file = BufWriter::new(File::create_new(self.path(&name))?);
            self.open = Some((name, DataFile::new(file)));
            self.files += 1;
        }
        let Some((_, file)) = &mut self.open else { return Ok(()) };
        file.put(format!("{}\n", json!({ "Item": item })).as_bytes())?;
        self.items += 1;
        if file.is_full() { self.close_file() } else { Ok(()) }
    }

    fn close_file(&mut self) -> Result<(), Failure> {
        let Some((name, file)) = self.open.take() else { return Ok(()) };
        let (file, packed) = file.finish()?;
        file.into_inner().map_err(|error| error.into_error())?.sync_all()?;
        self.lines.push_str(&packed.line(&packed.etag(), &format!("{}/{name}", self.inside)));
        world::say!("  {} items", self.items);
        Ok(())
    }

    /// A manifest, and its sum beside it.
    fn write_manifest(&self, name: &str, text: &str) -> Result<(), Failure> {
        self.write(&format!("{name}.json"), text)?;
        self.write(&format!("{name}.md5"), &sum_of(text))
    }

    fn write(&self, name: &str, text: &str) -> Result<(), Failure> {
        let mut file = File::create_new(self.path(name))?;
        file.write_all(text.as_bytes())?;
        Ok(file.sync_all()?)
    }
}
