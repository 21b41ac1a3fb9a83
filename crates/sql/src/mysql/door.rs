//! The way in: a server speaks first, and one of another kind waits for the client to.

use crate::settings::Server;
use crate::{Error, Kind};
use mysql::{Conn, DriverError};
use std::mem::ManuallyDrop;
use std::net::TcpStream;
use std::os::fd::{AsRawFd, FromRawFd};
use std::time::Duration;

/// The connection, whose answers from now on may take this long; none: as long as they want. The driver knows one limit
/// for the greeting and for all that follows.
pub(super) fn waiting(conn: Conn, limit: Option<Duration>) -> Result<Conn, Error> {
    #[expect(unsafe_code, reason = "the driver lends its socket as a number alone")]
    // SAFETY: the socket is open as long as `conn` is, and is not closed here.
    let socket = ManuallyDrop::new(unsafe { TcpStream::from_raw_fd(conn.as_raw_fd()) });
    match socket.set_read_timeout(limit).and_then(|()| socket.set_write_timeout(limit)) {
        Ok(()) => Ok(conn),
        Err(error) => Err(Error::new(Kind::Unreachable, format!("MySQL: {error}"))),
    }
}

/// What went wrong at the door, and where that is.
pub(super) fn told(error: mysql::Error, server: &Server, limit: Duration) -> Error {
    let is_strange = matches!(
        &error,
        mysql::Error::CodecError(_) | mysql::Error::DriverError(DriverError::UnexpectedPacket)
    );
    let error = Error::from(error);
    let message = match error.kind {
        Kind::Timeout => {
            format!("it takes connections and says nothing for {} s", limit.as_secs_f32())
        }
        _ => error.message,
    };
    let question = match is_strange && error.kind != Kind::Refused || error.kind == Kind::Timeout {
        true => "; is it MySQL or MariaDB that listens there?",
        false => "",
    };
    let kind = if error.kind == Kind::Timeout { Kind::Unreachable } else { error.kind };
    Error { kind, message: format!("{}:{}: {message}{question}", server.host, server.port), ..error }
}
