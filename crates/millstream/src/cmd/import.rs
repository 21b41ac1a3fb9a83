//! `millstream import TABLE PATH`: puts items from files into a table that is there: DynamoDB JSON, as exports have it, or
//! CSV, as the service imports it. Compressed files end in `.gz`.

use super::Failure;
use super::args::Args;
use super::endpoint::Endpoint;
use flate2::read::MultiGzDecoder;
use md5::{Digest, Md5};
use serde_json::{Map, Value, json};
use services::table_files::csv::{self, Rows};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What a call takes.
const PUTS_MAX: usize = 25;
/// The longest line: an item of 400 KB, and what JSON makes of it.
const LINE_BYTES_MAX: u64 = 8 << 20;
/// Files in one import.
const FILES_MAX: usize = 100_000;

pub fn run(typed: Vec<OsString>) -> Result<(), Failure> {
    let args = Args::read(typed, &["endpoint", "csv-delimiter"], &[])?;
    let [table, from] = args.words.as_slice() else {
        return Err(Failure::Usage(
            "import takes a table and a file or directory: millstream import TABLE PATH".to_owned(),
        ));
    };
    let delimiter = match args.values.get("csv-delimiter").map(String::as_bytes) {
        None => b',',
        Some([one]) if b",\t:;| ".contains(one) => *one,
        Some(_) => return Err(Failure::Usage("--csv-delimiter: one of , ; : | tab and space".to_owned())),
    };
    let mut files = Vec::new();
    list(Path::new(from), &mut files)?;
    if files.is_empty() {
        return Err(Failure::Failed(format!(
            "{from} has no file that ends in .json, .csv, or those and .gz"
        )));
    }
    check_manifests(&files)?;
    let mut endpoint = Endpoint::of(args.values.get("endpoint"))?;
    let described = endpoint.call("DynamoDB_20120810.DescribeTable", &json!({ "TableName": table }))?;
    let mut import = Import { endpoint, table: table.clone(), puts: BTreeMap::new(), items: 0 };
    for file in files.iter().filter(|file| !is_manifest(file)) {
        let inside = |why: Failure| match why {
            Failure::Failed(why) => Failure::Failed(format!("{}: {why}", file.display())),
            usage => usage,
        };
        import.file(file, &described["Table"], delimiter).map_err(inside)?;
        world::say!("  {} items", import.items + import.puts.len() as u64);
    }
    import.flush()?;
    tell!("{table}: {} items put", import.items);
    Ok(())
}

struct Import {
    endpoint: Endpoint,
    table: String,
    /// Items by their keys: a call takes each key once, and the last one counts.
    puts: BTreeMap<String, Value>,
    items: u64,
}

impl Import {
    fn file(&mut self, path: &Path, table: &Value, delimiter: u8) -> Result<(), Failure> {
        let file = File::open(path)?;
        let (name, is_packed) = kind(path);
        let mut lines: Box<dyn BufRead> = match is_packed {
            true => Box::new(BufReader::new(MultiGzDecoder::new(file))),
            false => Box::new(BufReader::new(file)),
        };
        if name == "csv" {
            let mut text = Rows::new(lines, delimiter);
            let header = text.next().transpose().map_err(Failure::Failed)?.unwrap_or_default();
            for row in text {
                let item = row.and_then(|row| csv::item(&header, row, table)).map_err(Failure::Failed)?;
                self.put(item, table)?;
            }
            return Ok(());
        }
        let mut line = Vec::new();
        for number in 1_u64.. {
            line.clear();
            if lines.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line)? == 0 {
                break;
            }
            if line.trim_ascii().is_empty() {
                continue;
            }
            let told: Value = serde_json::from_slice(&line)
                .map_err(|error| Failure::Failed(format!("line {number} is no JSON: {error}")))?;
            let item = told.get("Item").filter(|item| item.is_object()).unwrap_or(&told).clone();
            self.put(item, table).map_err(|why| match why {
                Failure::Failed(why) => Failure::Failed(format!("line {number}: {why}")),
                usage => usage,
            })?;
        }
        Ok(())
    }

    fn put(&mut self, item: Value, table: &Value) -> Result<(), Failure> {
        let mut key = String::new();
        for part in table["KeySchema"].as_array().into_iter().flatten() {
            let name = part["AttributeName"].as_str().unwrap_or_default();
            let value = item.get(name).ok_or_else(|| {
                Failure::Failed(format!("an item without the key attribute {name}: {item}"))
            })?;
            key.push_str(&format!("{value}\0"));
        }
        self.puts.insert(key, item);
        if self.puts.len() >= PUTS_MAX { self.flush() } else { Ok(()) }
    }

    /// Puts what has been gathered; what the server does not take at once is asked for again.
    fn flush(&mut self) -> Result<(), Failure> {
        let puts: Vec<Value> = std::mem::take(&mut self.puts)
            .into_values()
            .map(|item| json!({ "PutRequest": { "Item": item } }))
            .collect();
        if puts.is_empty() {
            return Ok(());
        }
        let count = puts.len() as u64;
        let mut asked = Map::new();
        asked.insert(self.table.clone(), puts.into());
        let mut pause = Duration::from_millis(20);
        while !asked.is_empty() {
            let body = json!({ "RequestItems": asked });
            let mut answer = self.endpoint.call("DynamoDB_20120810.BatchWriteItem", &body)?;
            asked = match answer["UnprocessedItems"].take() {
                Value::Object(left) => left,
                _ => Map::new(),
            };
            if !asked.is_empty() {
                std::thread::sleep(pause);
                pause = (pause * 2).min(Duration::from_secs(5));
            }
        }
        self.items += count;
        Ok(())
    }
}

/// All files of a kind that is known, in the order of their names.
fn list(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), Failure> {
    if !path.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    let mut inside =
        fs::read_dir(path)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
    inside.sort();
    for path in inside {
        if path.is_dir() || matches!(kind(&path).0, "json" | "csv") {
            list(&path, files)?;
        }
        if files.len() > FILES_MAX {
            return Err(Failure::Failed(format!("more than {FILES_MAX} files: import them in parts")));
        }
    }
    Ok(())
}

/// How a file's name ends, and whether it is compressed.
fn kind(path: &Path) -> (&str, bool) {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let (name, is_packed) = match name.strip_suffix(".gz") {
        Some(name) => (name, true),
        None => (name, false),
    };
    (name.rsplit_once('.').map_or("", |(_, end)| end), is_packed)
}

fn is_manifest(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == "manifest-files.json" || name == "manifest-summary.json")
}

/// Data files that a manifest tells of have to be there, whole.
fn check_manifests(files: &[PathBuf]) -> Result<(), Failure> {
    for manifest in files.iter().filter(|file| file.ends_with("manifest-files.json")) {
        let dir = manifest.parent().unwrap_or(Path::new("."));
        for line in fs::read_to_string(manifest)?.lines() {
            let told: Value = serde_json::from_str(line)?;
            let key = told["dataFileS3Key"].as_str().unwrap_or_default();
            let file = dir.join("data").join(key.rsplit('/').next().unwrap_or_default());
            let mut sum = Md5::new();
            let mut bytes = vec![0; 1 << 20];
            let mut data =
                File::open(&file).map_err(|error| Failure::Failed(format!("{}: {error}", file.display())))?;
            loop {
                match data.read(&mut bytes)? {
                    0 => break,
                    count => sum.update(&bytes[..count]),
                }
            }
            if told["md5Checksum"].as_str() != Some(&wire::base64::encode(&sum.finalize())) {
                return Err(Failure::Failed(format!("{} is not what its manifest says", file.display())));
            }
        }
    }
    Ok(())
}
