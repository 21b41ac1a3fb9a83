//! What a database says, in the two ways in which the Data API says it on. Clients parse both.

use sql::{Dialect, Error, Kind};
use wire::ServiceError;

/// `old`: of a cluster of the first serverless kind.
pub(super) fn told(error: &Error, dialect: Dialect, old: bool) -> ServiceError {
    match error.kind {
        Kind::TooLarge => return super::bad_request("Database response exceeded size limit"),
        Kind::Timeout => {
            return ServiceError::new("StatementTimeoutException", "Request timed out")
                .with("dbConnectionId", 0);
        }
        Kind::Unreachable if error.code.is_none() => {
            world::say!("rds-data: {}", error.message);
            return unavailable(old);
        }
        _ => {}
    }
    let state = error.code.as_deref().unwrap_or("HY000");
    let message = &error.message;
    if dialect == Dialect::Mysql {
        let number = error.number.unwrap_or(0);
        return match old {
            true => super::bad_request(format!("Database error code: {number}. Message: {message}")),
            false => database(format!("{message}; Error code: {number}; SQLState: {state}")),
        };
    }
    match (old, error.position) {
        (true, Some(at)) => super::bad_request(format!("ERROR: {message}\n  Position: {at}")),
        (true, None) => super::bad_request(format!("ERROR: {message}")),
        (false, Some(at)) => database(format!("ERROR: {message}; Position: {at}; SQLState: {state}")),
        (false, None) => database(format!("ERROR: {message}; SQLState: {state}")),
    }
}

/// A database that does not run, or that went away.
pub(super) fn unavailable(old: bool) -> ServiceError {
    match old {
        true => super::bad_request("Communications link failure"),
        false => {
            let message = "The writer instance in the DB cluster isn't available.";
            ServiceError::new("DatabaseUnavailableException", message).with_status(504)
        }
    }
}

pub(super) fn database(message: impl Into<String>) -> ServiceError {
    ServiceError::new("DatabaseErrorException", message)
}
