//! What keeps a function's process in its place, said as it is.

/// What is enforced on every function's process, for people to read.
pub fn enforced() -> &'static [&'static str] {
    &[
        "a process group of its own, killed whole at a time-out and when the server dies",
        "no new privileges (set-user-id programs have no effect)",
        "at most 1,024 open files, no core dumps",
        "an environment without the server's variables",
        "its own temporary directory, and code it cannot change",
    ]
}

/// What is not, so that nobody relies on it.
pub fn not_enforced() -> &'static [&'static str] {
    &["file system and network isolation: a function can read what the server's user can read"]
}
