//! Who is there, before the driver speaks to it: the driver waits for an answer for ever.

use crate::settings::Server;
use crate::{Error, Kind};
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

/// "Is there encryption by GSS?", which PostgreSQL answers with a letter and writes into no log.
const QUESTION: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x30];
/// No; yes; yes, of an old proxy; a message of an error, from before there was the question.
const ANSWERS: [u8; 4] = *b"NGSE";

/// Refuses who is no PostgreSQL server, and who says nothing. All else the driver tells.
pub(super) fn knock(server: &Server, limit: Duration) -> Result<(), Error> {
    let place = format!("{}:{}", server.host, server.port);
    let wrong = |seen: &str| {
        let message = format!("{place}: {seen}; is it PostgreSQL that listens there?");
        Err(Error::new(Kind::Unreachable, message))
    };
    let mut letters = [0; 32];
    match asked(server, limit, &mut letters) {
        Some(Ok(count)) if count > 0 && !ANSWERS.contains(&letters[0]) => wrong(&of(&letters[..count])),
        Some(Err(error)) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
            wrong(&format!("it takes connections and says nothing for {} s", limit.as_secs_f32()))
        }
        _ => Ok(()),
    }
}

/// What comes back; none: nobody is asked.
fn asked(server: &Server, limit: Duration, letters: &mut [u8]) -> Option<std::io::Result<usize>> {
    let mut addresses = (server.host.as_str(), server.port).to_socket_addrs().ok()?;
    let mut stream = addresses.find_map(|address| TcpStream::connect_timeout(&address, limit).ok())?;
    stream.set_read_timeout(Some(limit)).and_then(|()| stream.write_all(&QUESTION)).ok()?;
    Some(stream.read(letters))
}

fn of(letters: &[u8]) -> String {
    // A packet of MySQL: three bytes of length, a zero, and the version of its protocol or an error.
    if letters.len() > 4 && letters[3] == 0 && matches!(letters[4], 10 | 0xff) {
        return "a MySQL or MariaDB server answers".to_owned();
    }
    match letters.starts_with(b"HTTP/") {
        true => "an HTTP server answers".to_owned(),
        false => format!("the answer begins with \"{}\"", letters.escape_ascii()),
    }
}
