//! DescribeLimits: the quotas an account begins with.

use super::Body;
use serde_json::json;
use servicekit::call::Call;

pub(super) fn describe_limits(call: &Call) -> Body {
    call.input()?;
    let limits = json!({
        "AccountMaxReadCapacityUnits": 80_000,
        "AccountMaxWriteCapacityUnits": 80_000,
        "TableMaxReadCapacityUnits": 40_000,
        "TableMaxWriteCapacityUnits": 40_000,
    });
    Ok(limits.to_string().into_bytes())
}
