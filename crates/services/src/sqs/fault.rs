//! What queues refuse with.

use wire::ServiceError;

pub(crate) type Fault = ServiceError;

pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Fault {
    ServiceError::new(code, message).with_status(400)
}

pub(crate) fn no_queue() -> Fault {
    new("QueueDoesNotExist", "The specified queue does not exist.")
}

pub(crate) fn value(message: impl Into<String>) -> Fault {
    new("InvalidParameterValue", message)
}

pub(crate) fn missing(member: &str) -> Fault {
    new("MissingParameter", format!("The request must contain the parameter {member}."))
}

pub(crate) fn bad_handle(text: &str) -> Fault {
    new(
        "ReceiptHandleIsInvalid",
        format!("The input receipt handle \"{text}\" is not a valid receipt handle."),
    )
}

/// The older protocol has older words.
pub(crate) fn in_query(mut fault: Fault) -> Fault {
    if fault.name() == "QueueDoesNotExist" {
        fault.message = Some("The specified queue does not exist for this wsdl version.".to_owned());
    }
    fault
}
