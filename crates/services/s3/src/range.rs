//! A part of an object, as a `Range` header asks for it.

use super::fault::{self, Fault};

/// Where the part begins, and its length; none for the whole. A header that makes no sense, or asks for several parts,
/// counts for nothing.
pub(super) fn parse(header: Option<&str>, bytes: u64) -> Result<Option<(u64, u64)>, Fault> {
    let Some((first, last)) = header.and_then(read) else { return Ok(None) };
    let unsatisfiable = || {
        fault::new(416, "InvalidRange", "The requested range is not satisfiable")
            .with("RangeRequested", header.unwrap_or_default())
            .with("ActualObjectSize", bytes)
    };
    match (first, last) {
        (None, None) => Ok(None),
        (None, Some(0)) => Err(unsatisfiable()),
        (None, Some(_)) if bytes == 0 => Err(unsatisfiable()),
        (None, Some(suffix)) => Ok(Some((bytes.saturating_sub(suffix), suffix.min(bytes)))),
        (Some(first), _) if first >= bytes => Err(unsatisfiable()),
        (Some(first), None) => Ok(Some((first, bytes - first))),
        (Some(first), Some(last)) if last < first => Ok(None),
        (Some(first), Some(last)) => Ok(Some((first, last.min(bytes - 1) - first + 1))),
    }
}

fn read(header: &str) -> Option<(Option<u64>, Option<u64>)> {
    let (first, last) = header.strip_prefix("bytes=")?.trim().split_once('-')?;
    let number = |text: &str| match text.trim() {
        "" => Some(None),
        text if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok().map(Some),
        _ => None,
    };
    Some((number(first)?, number(last)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_clients_mean_them() {
        for (header, bytes, part) in [
            ("bytes=0-4", 10, Ok(Some((0, 5)))),
            ("bytes=8-", 10, Ok(Some((8, 2)))),
            ("bytes=8-99", 10, Ok(Some((8, 2)))),
            ("bytes=-3", 10, Ok(Some((7, 3)))),
            ("bytes=-30", 10, Ok(Some((0, 10)))),
            ("bytes=10-", 10, Err(416)),
            ("bytes=-0", 10, Err(416)),
            ("bytes=0-", 0, Err(416)),
            ("bytes=5-4", 10, Ok(None)),
            ("bytes=0-1,3-4", 10, Ok(None)),
            ("lines=0-1", 10, Ok(None)),
            ("bytes=-", 10, Ok(None)),
            ("bytes=99999999999999999999-", 10, Ok(None)),
        ] {
            let found = parse(Some(header), bytes).map_err(|error| error.status.unwrap_or_default());
            assert_eq!(found, part, "{header}");
        }
    }
}
