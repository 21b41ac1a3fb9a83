//! The house rules that a reader would otherwise have to check: floors, who names what, what must not be written down.

use std::fs;
use std::path::{Path, PathBuf};

/// Which crates each crate may stand on. Arrows go down only.
const FLOORS: [(&str, &[&str]); 26] = [
    ("world", &[]),
    ("model", &[]),
    ("store", &["world"]),
    ("wire", &["world"]),
    ("sql", &["world"]),
    ("database", &["world"]),
    ("functions", &["world", "store"]),
    ("engine", &["world", "model", "store"]),
    ("api", &["wire", "model"]),
    ("feed", &["world", "model", "store", "engine"]),
    ("servicekit", &["world", "store", "wire", "api"]),
    ("access", &["world", "store", "wire", "api", "functions", "servicekit"]),
    ("logs", &["world", "store", "wire", "api", "functions", "servicekit"]),
    ("s3", &["world", "store", "wire", "api", "servicekit"]),
    ("ec2", &["world", "store", "wire", "api", "servicekit"]),
    ("rds", &["world", "store", "wire", "sql", "database", "servicekit"]),
    ("dynamodb", &["world", "model", "store", "wire", "api", "engine", "servicekit", "logs"]),
    ("lambda", &["world", "store", "wire", "api", "engine", "functions", "feed", "servicekit", "access"]),
    ("apigateway", &["world", "store", "wire", "servicekit", "access", "lambda"]),
    ("cloudformation", &["world", "store", "wire", "api", "functions", "servicekit", "ec2"]),
    (
        "services",
        &[
            "world",
            "model",
            "store",
            "wire",
            "api",
            "engine",
            "functions",
            "feed",
            "servicekit",
            "access",
            "logs",
            "lambda",
            "dynamodb",
            "cloudformation",
            "apigateway",
            "s3",
            "ec2",
            "rds",
        ],
    ),
    ("sinks", &["world", "model", "wire", "sql", "api"]),
    ("server", &["world", "store", "wire", "engine", "functions", "feed", "services"]),
    ("testkit", &["world", "database"]),
    (
        "millstream",
        &["world", "model", "store", "wire", "engine", "functions", "feed", "sinks", "services", "server"],
    ),
    ("xtask", &["testkit", "store"]),
];

/// Words that only some files may hold, and why.
const RESERVED: [(&str, &[&str], &str); 6] = [
    (
        "eprintln!",
        &["crates/millstream/tests/", "crates/functions/tests/", "crates/engine/tests/", "crates/store/"],
        "`world::say!` does not fail when nobody reads",
    ),
    ("fjall", &["crates/store/"], "only the store names its storage engine"),
    ("rusqlite", &["crates/sql/"], "only `sql` names database drivers"),
    ("SystemTime::now", &["crates/world/"], "only the world tells the time"),
    ("Instant::now", &["crates/world/", "crates/store/examples/"], "only the world tells the time"),
    (
        "tokio",
        &[
            "crates/functions/",
            "crates/feed/",
            "crates/services/",
            // The driver of PostgreSQL is made for one, which stays with it.
            "crates/sql/src/postgres/client.rs",
            "crates/sql/src/postgres/tls.rs",
            "crates/server/",
            "crates/millstream/",
        ],
        "floors 0 to 2 have no runtime",
    ),
];

pub fn run(root: &Path) -> Result<(), String> {
    let mut faults = Vec::new();
    floors(root, &mut faults);
    for file in files(root) {
        let Ok(text) = fs::read_to_string(&file) else { continue };
        let name = file.strip_prefix(root).unwrap_or(&file).display().to_string();
        forbidden(&name, &text, &mut faults);
        if name.ends_with(".rs") && name.starts_with("crates/") {
            reserved(&name, &text, &mut faults);
        }
        if name.starts_with("crates/") && name.ends_with("src/lib.rs") {
            knows(&name, &text, &mut faults);
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n")) }
}

fn floors(root: &Path, faults: &mut Vec<String>) {
    for (name, below) in FLOORS {
        let Ok(manifest) = fs::read_to_string(home(root, name).join("Cargo.toml")) else {
            faults.push(format!("{name} has no Cargo.toml"));
            continue;
        };
        let dependencies = manifest.split("[dependencies]").nth(1).unwrap_or_default();
        let dependencies = dependencies.split("\n[").next().unwrap_or_default();
        for line in dependencies.lines() {
            let dependency = line.split(['.', ' ', '=']).next().unwrap_or_default();
            let is_ours = FLOORS.iter().any(|(other, _)| *other == dependency);
            if is_ours && !below.contains(&dependency) {
                faults.push(format!("{name} may not stand on {dependency}"));
            }
        }
    }
}

/// The folder of a crate: a service's is in the folder of all services.
fn home(root: &Path, name: &str) -> PathBuf {
    let name = if name == "servicekit" { "kit" } else { name };
    let places = [root.join(name), root.join("crates").join(name), root.join("crates/services").join(name)];
    places.into_iter().find(|place| place.is_dir()).unwrap_or_default()
}

/// A crate's first line says what it knows, the second what it never knows.
fn knows(name: &str, text: &str, faults: &mut Vec<String>) {
    let head: Vec<&str> = text.lines().take_while(|line| line.starts_with("//!")).collect();
    if !head.join(" ").contains("Never") && !head.join(" ").contains("never") {
        faults.push(format!("{name} does not say what it never knows"));
    }
}

fn reserved(name: &str, text: &str, faults: &mut Vec<String>) {
    for (word, owners, why) in RESERVED {
        if owners.iter().any(|owner| name.starts_with(owner)) {
            continue;
        }
        // Prose may name anything.
        let in_code = text.lines().any(|line| {
            let code = line.split("//").next().unwrap_or_default();
            code.contains(word)
        });
        if in_code {
            faults.push(format!("{name} names {word}: {why}"));
        }
    }
}

fn forbidden(name: &str, text: &str, faults: &mut Vec<String>) {
    // In pieces, so that this file does not hold them.
    let words =
        [["/wo", "rk/"], ["/ro", "ot/"], ["crates.", "io/api"], ["pypi.", "org"], ["registry.npmjs", ".org"]];
    for word in words.map(|parts| parts.concat()) {
        if text.contains(&word) && !name.ends_with("Cargo.lock") {
            faults.push(format!("{name} names {word}, which is of one machine only"));
        }
    }
}

/// Every file of the project, without what is built or fetched.
fn files(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![root.to_path_buf()];
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
            let path = entry.path();
            let name = entry.file_name();
            let skipped = ["target", ".git", ".cache", "fixtures", "corpus", "node_modules", "cdk.out"];
            // In a second work tree `.git` is a file.
            if skipped.iter().any(|skipped| name == *skipped) {
                continue;
            }
            if path.is_dir() {
                open.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_house_is_tidy() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let root = root.canonicalize().expect("the project's root");
        if let Err(faults) = super::run(&root) {
            panic!("\n{faults}");
        }
    }
}
