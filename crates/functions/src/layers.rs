//! Layers: several packages as one tree, later ones over earlier ones, and where each language looks in it.

use crate::Runtime;
use crate::package::{PackageError, Packages};
use crate::runtime::Interpreter;
use sha2::{Digest, Sha256};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

impl Packages {
    /// The tree of these packages in this order, made unless it is there: what AWS shows under `/opt`.
    pub fn layered(&self, layers: &[String]) -> io::Result<Option<PathBuf>> {
        if layers.is_empty() {
            return Ok(None);
        }
        if let [only] = layers {
            return Ok(Some(self.code_dir(only)));
        }
        let digest: [u8; 32] = Sha256::digest(layers.join("/")).into();
        let name: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let tree = self.code_dir(&format!("opt-{name}"));
        if tree.exists() {
            return Ok(Some(tree));
        }
        let scratch =
            self.code_dir(&format!(".opt-{name}.{}.{:?}", std::process::id(), std::thread::current().id()));
        let _ = fs::remove_dir_all(&scratch);
        fs::create_dir_all(&scratch)?;
        for layer in layers {
            lay(&self.code_dir(layer), &scratch)?;
        }
        match fs::rename(&scratch, &tree) {
            Ok(()) => {}
            // Another environment was faster.
            Err(_) if tree.exists() => fs::remove_dir_all(&scratch)?,
            Err(error) => return Err(error),
        }
        Ok(Some(tree))
    }

    /// What a package takes when it is unpacked.
    pub fn unpacked_bytes(&self, sha256: &str) -> Result<u64, PackageError> {
        Ok(bytes_under(&self.code_dir(sha256))?)
    }
}

/// Links the files of one tree into another: a file takes the place of what lay there.
fn lay(from: &Path, into: &Path) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (source, target) = (entry.path(), into.join(entry.file_name()));
        let there = fs::symlink_metadata(&target).ok();
        if entry.file_type()?.is_dir() {
            if there.as_ref().is_some_and(|there| !there.is_dir()) {
                fs::remove_file(&target)?;
            }
            fs::create_dir_all(&target)?;
            lay(&source, &target)?;
            continue;
        }
        match there {
            Some(there) if there.is_dir() => fs::remove_dir_all(&target)?,
            Some(_) => fs::remove_file(&target)?,
            None => {}
        }
        if entry.file_type()?.is_symlink() {
            std::os::unix::fs::symlink(fs::read_link(&source)?, &target)?;
        } else {
            fs::hard_link(&source, &target)?;
        }
    }
    Ok(())
}

fn bytes_under(dir: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        bytes += match entry.file_type()?.is_dir() {
            true => bytes_under(&entry.path())?,
            false => entry.metadata()?.len(),
        };
    }
    Ok(bytes)
}

/// Where a language finds its modules: the code first, then the layers.
pub(crate) fn search_paths(
    command: &mut Command,
    runtime: Runtime,
    interpreter: Option<&Interpreter>,
    code: &str,
    opt: Option<&str>,
    host_path: &str,
) {
    let layered = |paths: &[String]| {
        let inside = paths.iter().filter_map(|path| Some(format!(":{}/{path}", opt?)));
        inside.collect::<String>()
    };
    match runtime {
        Runtime::Python(_) => {
            let version = interpreter.map_or("3", |found| found.version.as_str());
            let site = format!("python/lib/python{version}/site-packages");
            command.env("PYTHONPATH", format!("{code}{}", layered(&["python".to_owned(), site])));
        }
        Runtime::Node(_) => {
            let version = interpreter.map_or("", |found| found.version.as_str());
            let own = format!("nodejs/node{version}/node_modules");
            let paths = layered(&[own, "nodejs/node_modules".to_owned()]);
            // Where AWS's runtime has its SDK, ours has what was installed globally beside the interpreter.
            let prefix = interpreter.and_then(|found| found.program.parent()?.parent());
            let global = prefix.map(|prefix| format!(":{}/lib/node_modules", prefix.display()));
            let global = global.unwrap_or_default();
            command.env("NODE_PATH", format!("{code}/node_modules:{code}{paths}{global}"));
        }
        Runtime::Ruby(_) => {
            let version = interpreter.map_or("", |found| found.version.as_str());
            let gems = layered(&[format!("ruby/gems/{version}.0")]);
            command.env("GEM_PATH", format!("{code}/vendor/bundle/ruby/{version}.0{gems}"));
            command.env("RUBYLIB", format!("{code}{}", layered(&["ruby/lib".to_owned()])));
        }
        _ => {}
    }
    if let Some(opt) = opt {
        command.env("PATH", format!("{host_path}:{opt}/bin"));
        command.env("LD_LIBRARY_PATH", format!("{code}:{code}/lib:{opt}/lib"));
    }
}

#[cfg(test)]
mod tests {
    use crate::package::{Packages, zip_of};
    use std::fs;

    #[test]
    fn later_layers_lie_over_earlier_ones() {
        let dir = std::env::temp_dir().join(format!("layers-test-{}", world::World::real().hex(12)));
        let packages = Packages::new(dir.clone());
        let put = |files: &[(&str, &str)]| packages.put(&zip_of(files)).expect("a package").sha256;
        let first =
            put(&[("python/a.py", "first"), ("python/b.py", "first"), ("c", "first"), ("d/e", "first")]);
        let second = put(&[("python/b.py", "second"), ("c/f", "second"), ("d", "second")]);
        let read = |order: &[String], name: &str| {
            let tree = packages.layered(order).expect("a tree").expect("layers");
            fs::read_to_string(tree.join(name)).ok()
        };
        let order = [first.clone(), second.clone()];
        for (name, text) in
            [("python/a.py", "first"), ("python/b.py", "second"), ("c/f", "second"), ("d", "second")]
        {
            assert_eq!(read(&order, name).as_deref(), Some(text), "{name}");
        }
        let back = [second.clone(), first.clone()];
        for (name, text) in [("python/b.py", "first"), ("c", "first"), ("d/e", "first")] {
            assert_eq!(read(&back, name).as_deref(), Some(text), "{name}");
        }
        // The packages themselves stay as they were.
        assert_eq!(read(&[first], "python/b.py").as_deref(), Some("first"));
        assert_eq!(packages.unpacked_bytes(&second).expect("bytes"), 18);
        let _ = fs::remove_dir_all(dir);
    }
}
