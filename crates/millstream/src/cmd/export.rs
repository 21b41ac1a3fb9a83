//! `millstream export TABLE DIR`: a table's items as files of DynamoDB JSON, laid out as the service exports them.
//!
//! ```text
//! DIR/AWSDynamoDB/<id>/data/<name>.json.gz      {"Item":{…}} a line
//! DIR/AWSDynamoDB/<id>/manifest-files.json      a line for each data file
//! DIR/AWSDynamoDB/<id>/manifest-summary.json    written last: without it, the export is not whole
//! ```

use super::Failure;
use super::args::Args;
use super::endpoint::Endpoint;
use flate2::Compression;
use flate2::write::GzEncoder;
use md5::{Digest, Md5};
use serde_json::{Value, json};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use world::World;

/// A data file holds about this much before it is compressed.
const FILE_BYTES: u64 = 64 << 20;

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
        files: Vec::new(),
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
    let lines: String = export.files.iter().map(|file| format!("{file}\n")).collect();
    export.write("manifest-files.json", &lines)?;
    let table = &described["Table"];
    let summary = json!({
        "version": "2020-06-30",
        "exportArn": format!("{}/export/{id}", table["TableArn"].as_str().unwrap_or_default()),
        "startTime": started.to_string(),
        "endTime": export.world.now().to_string(),
        "tableArn": table["TableArn"],
        "tableId": table["TableId"],
        "exportTime": started.to_string(),
        "manifestFilesS3Key": format!("{}/manifest-files.json", export.inside),
        "billedSizeBytes": 0,
        "itemCount": export.items,
        "outputFormat": "DYNAMODB_JSON",
        "exportType": "FULL_EXPORT",
    });
    export.write("manifest-summary.json", &format!("{summary}\n"))?;
    println!("{}: {} items in {} files", export.path("").display(), export.items, export.files.len());
    Ok(())
}

struct Export {
    root: PathBuf,
    /// Where in the root it lies.
    inside: String,
    world: World,
    /// Lines of the manifest.
    files: Vec<Value>,
    open: Option<DataFile>,
    items: u64,
}

struct DataFile {
    name: String,
    out: GzEncoder<Summed>,
    items: u64,
    bytes: u64,
}

/// A file, and the sum of what was written to it.
struct Summed {
    file: BufWriter<File>,
    sum: Md5,
}

impl Write for Summed {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let count = self.file.write(bytes)?;
        self.sum.update(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

impl Export {
    fn path(&self, name: &str) -> PathBuf {
        self.root.join(&self.inside).join(name)
    }

    fn put(&mut self, item: &Value) -> Result<(), Failure> {
        if self.open.is_none() {
            let name = format!("data/{}.json.gz", self.world.hex(26));
            let file = BufWriter::new(File::create_new(self.path(&name))?);
            let out = GzEncoder::new(Summed { file, sum: Md5::new() }, Compression::default());
            self.open = Some(DataFile { name, out, items: 0, bytes: 0 });
        }
        let Some(open) = &mut self.open else { return Ok(()) };
        let line = format!("{}\n", json!({ "Item": item }));
        open.out.write_all(line.as_bytes())?;
        open.items += 1;
        open.bytes += line.len() as u64;
        self.items += 1;
        if open.bytes >= FILE_BYTES { self.close_file() } else { Ok(()) }
    }

    fn close_file(&mut self) -> Result<(), Failure> {
        let Some(open) = self.open.take() else { return Ok(()) };
        let Summed { file, sum } = open.out.finish()?;
        file.into_inner().map_err(|error| error.into_error())?.sync_all()?;
        let sum = sum.finalize();
        let hex: String = sum.iter().map(|byte| format!("{byte:02x}")).collect();
        self.files.push(json!({
            "itemCount": open.items,
            "md5Checksum": wire::base64::encode(&sum),
            "etag": hex,
            "dataFileS3Key": format!("{}/{}", self.inside, open.name),
        }));
        eprintln!("  {} items", self.items);
        Ok(())
    }

    fn write(&self, name: &str, text: &str) -> Result<(), Failure> {
        let mut file = File::create_new(self.path(name))?;
        file.write_all(text.as_bytes())?;
        Ok(file.sync_all()?)
    }
}
