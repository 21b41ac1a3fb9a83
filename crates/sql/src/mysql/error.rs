//! What MySQL's numbers ask for. Its SQLSTATEs are too few: most of what matters shares HY000 or 42000.

use crate::{Error, Kind};

impl From<mysql::Error> for Error {
    fn from(error: mysql::Error) -> Error {
        match error {
            mysql::Error::MySqlError(told) => {
                let code = u32::from(told.code);
                let kind = kind_of(code, &told.state, &told.message);
                Error { number: Some(code), ..Error::with_code(kind, &told.state, told.message) }
            }
            mysql::Error::IoError(error) if is_timeout(&error) => {
                Error::new(Kind::Timeout, "MySQL did not answer in time")
            }
            mysql::Error::CodecError(error) if is_timeout_below(&error) => {
                Error::new(Kind::Timeout, "MySQL did not answer in time")
            }
            // The handshake of TLS is told as a matter of reading and writing.
            mysql::Error::IoError(error) if is_of_papers(&error) => {
                Error::new(Kind::Refused, format!("MySQL: TLS: {error}"))
            }
            mysql::Error::CodecError(error) if is_of_papers(&error) => {
                Error::new(Kind::Refused, format!("MySQL: TLS: {error}"))
            }
            mysql::Error::IoError(error) => Error::new(Kind::Unreachable, format!("MySQL: {error}")),
            mysql::Error::CodecError(error) => Error::new(Kind::Unreachable, format!("MySQL: {error}")),
            mysql::Error::TlsError(error) => Error::new(Kind::Refused, format!("MySQL: TLS: {error}")),
            mysql::Error::DriverError(error) => driver(&error),
            other => Error::new(Kind::Other, format!("MySQL: {other}")),
        }
    }
}

fn driver(error: &mysql::DriverError) -> Error {
    // Of a user that is not there a server asks by some plugin, so that nobody learns who is.
    if let mysql::DriverError::UnknownAuthPlugin(name) = error {
        let message =
            format!("MySQL: there is no such user, or one who logs in by {name}, which is not known here");
        return Error::new(Kind::Refused, message);
    }
    let kind = match error {
        mysql::DriverError::ConnectTimeout
        | mysql::DriverError::CouldNotConnect(_)
        | mysql::DriverError::UnexpectedPacket
        | mysql::DriverError::Timeout => Kind::Unreachable,
        mysql::DriverError::MismatchedStmtParams(..) => Kind::Syntax,
        mysql::DriverError::TlsNotSupported | mysql::DriverError::CleartextPluginDisabled => Kind::Refused,
        _ => Kind::Other,
    };
    Error::new(kind, format!("MySQL: {error}"))
}

fn is_of_papers(error: &dyn std::error::Error) -> bool {
    error.to_string().contains("peer certificate")
}

fn is_timeout(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::TimedOut | std::io::ErrorKind::WouldBlock)
}

/// What the reading of a packet failed by.
fn is_timeout_below(error: &dyn std::error::Error) -> bool {
    error.source().and_then(|below| below.downcast_ref()).is_some_and(is_timeout)
}

fn kind_of(number: u32, state: &str, message: &str) -> Kind {
    match number {
        1044 | 1045 | 1142 | 1143 | 1227 | 1370 | 1410 | 1698 | 1820 | 1862 | 3118 | 4151 => Kind::Refused,
        // A server that only reads: a failover is on its way, or it is the wrong one.
        1290 | 1792 | 1836 => Kind::Refused,
        1049 | 1051 | 1054 | 1072 | 1146 | 1176 => Kind::Missing,
        1205 | 1213 | 1020 | 1412 | 1615 => Kind::Conflict,
        1317 | 1969 | 3024 => Kind::Timeout,
        1040 | 1053 | 1152 | 1158..=1161 | 1203 | 1226 | 1927 | 2006 | 2013 => Kind::Unreachable,
        // Too long, out of range, of the wrong kind, not JSON, larger than a packet or a row; too many columns.
        1117
        | 1118
        | 1139
        | 1153
        | 1264
        | 1265
        | 1292
        | 1366
        | 1367
        | 1406
        | 1411
        | 1416
        | 1690
        | 3140..=3143
        | 3854 => Kind::Data,
        // Of InnoDB, where the table has all that it can have.
        1005 if message.contains("Too many columns") => Kind::Data,
        // Of MariaDB: its JSON is text with a check.
        4025 if message.contains("json") => Kind::Data,
        1048 | 1062 | 1364 | 1451 | 1452 | 1586 | 3819 | 4025 => Kind::Constraint,
        1064 | 1065 | 1149 => Kind::Syntax,
        _ => Kind::of_sqlstate(state),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_that_is_not_believed_is_no_accident_of_the_way() {
        let io = |told: &str| Error::from(mysql::Error::IoError(std::io::Error::other(told.to_owned()))).kind;
        assert_eq!(io("invalid peer certificate: UnknownIssuer"), Kind::Refused);
        assert_eq!(io("connection reset by peer"), Kind::Unreachable);
    }
}
