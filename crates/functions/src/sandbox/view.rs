//! What of the machine a function may see, however that is enforced.

use std::path::{Path, PathBuf};

/// System directories: programs, libraries, and what they read.
const SYSTEM: [&str; 8] = ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/nix", "/gnu"];
/// Of `/etc` what programs need to find libraries, names, certificates and times.
const ETC: [&str; 19] = [
    "alternatives",
    "ca-certificates",
    "crypto-policies",
    "gai.conf",
    "host.conf",
    "hosts",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "localtime",
    "mime.types",
    "nsswitch.conf",
    "os-release",
    "pki",
    "protocols",
    "resolv.conf",
    "services",
    "ssl",
    "timezone",
];
/// Of a language that is installed elsewhere: what lies beside its `bin`, and what a virtual environment is one of.
const PREFIX: [&str; 9] = ["bin", "lib", "lib64", "libexec", "include", "share", "conf", "jre", "pyvenv.cfg"];

pub(crate) struct View<'a> {
    /// The environment's own directory.
    pub temporary: &'a Path,
    pub code: &'a Path,
    pub layers: Option<&'a Path>,
    pub client: &'a Path,
    pub interpreter: Option<&'a Path>,
    pub ephemeral_mb: u32,
    /// What must not be seen wherever it lies.
    pub hidden: &'a [PathBuf],
}

pub(super) struct Found {
    /// Where it leads, if it is a link.
    pub link: Option<PathBuf>,
    pub is_dir: bool,
}

impl View<'_> {
    /// What every function sees of the machine, at the same paths.
    pub(super) fn shared(&self) -> Vec<(PathBuf, Found)> {
        let mut all = Vec::new();
        for path in SYSTEM.map(PathBuf::from) {
            let Ok(metadata) = path.symlink_metadata() else { continue };
            let link = metadata.is_symlink().then(|| path.read_link().ok()).flatten();
            all.push((path, Found { link, is_dir: true }));
        }
        let java = std::fs::read_dir("/etc").into_iter().flatten().filter_map(|entry| {
            let name = entry.ok()?.file_name().into_string().ok()?;
            name.starts_with("java").then(|| Path::new("/etc").join(name))
        });
        // Links of `/etc` may lead out of it: what they lead to is shown.
        for path in ETC.map(|name| Path::new("/etc").join(name)).into_iter().chain(java) {
            if let Ok(metadata) = path.metadata() {
                all.push((path, Found { link: None, is_dir: metadata.is_dir() }));
            }
        }
        for path in self.prefixes() {
            let is_dir = path.is_dir();
            all.push((path, Found { link: None, is_dir }));
        }
        all
    }

    /// The directories of an interpreter outside of the system's, as it was found and as it really lies.
    fn prefixes(&self) -> Vec<PathBuf> {
        let Some(program) = self.interpreter else { return Vec::new() };
        let real = program.canonicalize().unwrap_or_else(|_| program.to_owned());
        let mut all: Vec<PathBuf> = Vec::new();
        for program in [program, &real] {
            if SYSTEM.iter().any(|system| program.starts_with(system)) {
                continue;
            }
            let Some(prefix) = program.parent().and_then(Path::parent) else { continue };
            for path in PREFIX.map(|name| prefix.join(name)) {
                if path.exists() && !all.contains(&path) {
                    all.push(path);
                }
            }
        }
        all
    }
}
