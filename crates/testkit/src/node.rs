//! The real binary, as a process.

use crate::client::Client;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use world::World;

/// A directory that goes with its owner.
pub struct TempDir(PathBuf);

impl TempDir {
    pub fn new(name: &str) -> TempDir {
        let path = std::env::temp_dir().join(format!("millstream-{name}-{}", World::real().hex(12)));
        std::fs::create_dir_all(&path).expect("a temporary directory");
        TempDir(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub struct Node {
    child: Child,
    address: String,
}

impl Node {
    /// Starts the binary on a free port, and waits until it listens.
    pub fn start(binary: &str, data_dir: &Path, flags: &[&str]) -> Node {
        Node::start_with(binary, data_dir, flags, &[])
    }

    /// The same with more in its environment.
    pub fn start_with(binary: &str, data_dir: &Path, flags: &[&str], environment: &[(&str, String)]) -> Node {
        let mut child = Command::new(binary)
            .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(data_dir)
            .args(flags)
            // Functions of most tests tell what they saw by writing files, which a sandbox forbids; tests of the
            // sandbox name it.
            .env("MILLSTREAM_SANDBOX", "off")
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let first = lines.next().and_then(Result::ok).expect("it says where it listens");
        let address = first.rsplit_once("http://").expect("an address").1.trim().to_owned();
        // The rest is read and dropped, so that it never waits for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        Node { child, address }
    }

    pub fn address(&self) -> &str {
        &self.address
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn client(&self) -> Client {
        Client::connect(&self.address).expect("a connection")
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// SIGKILL: nothing is finished, nothing is said.
    pub fn kill(mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// SIGTERM.
    #[expect(unsafe_code, reason = "std sends no SIGTERM")]
    pub fn terminate(&self) {
        // SAFETY: the process is our child and has not been waited for.
        unsafe { libc::kill(self.child.id() as i32, libc::SIGTERM) };
    }

    /// SIGTERM, and its end.
    pub fn stop(mut self) -> std::process::ExitStatus {
        self.terminate();
        self.child.wait().expect("its end")
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
