//! `cargo xtask suite cgroup`: what control groups hold, seen in a virtual machine of Debian's kernel and programs, whose
//! first process is ours. Needs to be root, debootstrap, cpio, e2fsprogs and qemu-system-x86; slow, for the processor is emulated.

use super::{Result, lines, succeed};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

const RELEASE: &str = "bookworm";
const PACKAGES: &str = "--include=python3,iproute2,linux-image-cloud-amd64";
/// What the machine does not need of them.
const LEFT_OUT: [&str; 8] = [
    "./boot",
    "./dev/*",
    "./proc/*",
    "./sys/*",
    "./usr/lib/modules",
    "./usr/share/doc",
    "./usr/share/locale",
    "./var",
];
/// What its kernel needs for a disk, in order.
const DRIVERS: [&str; 6] = [
    "virtio/virtio",
    "virtio/virtio_ring",
    "virtio/virtio_pci_modern_dev",
    "virtio/virtio_pci_legacy_dev",
    "virtio/virtio_pci",
    "block/virtio_blk",
];
/// Its console's settings, not to be shown.
const ESCAPE: char = '\u{1b}';
const SILENCE_MAX: Duration = Duration::from_secs(300);

pub(super) fn run(root: &Path, binary: &str) -> Result<()> {
    let build = root.join("target/suite-cgroup");
    let tree = build.join("tree");
    if !tree.join("boot").is_dir() {
        std::fs::create_dir_all(&build)?;
        let mut debootstrap = Command::new("debootstrap");
        debootstrap.args(["--variant=minbase", PACKAGES, RELEASE]);
        succeed(debootstrap.arg(&tree).stdout(Stdio::null()))?;
    }
    let source = root.join("xtask/suites/cgroup");
    let suite = tree.join("suite");
    std::fs::create_dir_all(&suite)?;
    succeed(Command::new("cp").arg(source.join("init")).arg(&tree))?;
    succeed(Command::new("cp").arg(source.join("checks.py")).arg(&suite))?;
    succeed(Command::new("strip").arg("-o").arg(suite.join("millstream")).arg(binary))?;
    drivers(&tree, &suite)?;
    let files = pack(&tree, &build)?;
    let disk = build.join("disk");
    std::fs::File::create(&disk)?.set_len(4 << 30)?;
    succeed(Command::new("mkfs.ext4").arg("-q").arg(&disk))?;
    watch(&kernel(&tree)?, &files, &disk)
}

/// Lays out the kernel's modules in the order in which they are loaded.
fn drivers(tree: &Path, suite: &Path) -> Result<()> {
    let kernel = std::fs::read_dir(tree.join("usr/lib/modules"))?.next().ok_or("no modules")??.path();
    for (number, name) in DRIVERS.iter().enumerate() {
        let module = kernel.join(format!("kernel/drivers/{name}.ko"));
        std::fs::copy(&module, suite.join(format!("{number}.ko")))
            .map_err(|error| format!("{}: {error}", module.display()))?;
    }
    Ok(())
}

/// The tree as the file system that a kernel begins with.
fn pack(tree: &Path, build: &Path) -> Result<PathBuf> {
    let files = build.join("files.cpio");
    let left_out = LEFT_OUT.map(|path| format!("-path '{path}' -prune -o")).join(" ");
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(format!("find . {left_out} -print0 | cpio --null -o -H newc --quiet"));
    succeed(shell.current_dir(tree).stdout(std::fs::File::create(&files)?))?;
    Ok(files)
}

fn kernel(tree: &Path) -> Result<PathBuf> {
    let files = std::fs::read_dir(tree.join("boot"))?.flatten().map(|entry| entry.path());
    let mut kernels = files
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("vmlinuz-")));
    kernels.next().ok_or_else(|| "the kernel's package has no kernel".into())
}

/// Runs the machine, and shows what its checks say.
fn watch(kernel: &Path, files: &Path, disk: &Path) -> Result<()> {
    let mut command = Command::new("qemu-system-x86_64");
    command.args(["-accel", "tcg", "-cpu", "max", "-m", "3072", "-smp", "2"]);
    command.args(["-nographic", "-no-reboot", "-net", "none"]);
    command.args(["-append", "console=ttyS0 loglevel=3 panic=-1"]);
    command.args(["-drive", &format!("file={},if=virtio,format=raw", disk.display())]);
    command.arg("-kernel").arg(kernel).arg("-initrd").arg(files);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut machine = command.spawn().map_err(|error| format!("{command:?}: {error}"))?;
    let told = lines(&mut machine)?;
    let mut outcome = Err("the machine ended before its checks did".into());
    while let Ok(line) = told.recv_timeout(SILENCE_MAX) {
        let line = line.trim();
        if !line.contains(ESCAPE) {
            println!("{line}");
        }
        match line.strip_prefix("suite: ") {
            Some("passed") => outcome = Ok(()),
            Some(failed) => outcome = Err(failed.into()),
            None => {}
        }
    }
    let _ = machine.kill();
    let _ = machine.wait();
    outcome
}
