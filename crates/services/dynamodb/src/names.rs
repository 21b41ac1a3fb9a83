//! Names of tables, as clients give them: plainly, or inside an ARN.

use super::fault::{Fault, access_denied, constraint, no_resource};
use servicekit::call::Caller;

const NAME_LENGTH_MIN: usize = 3;
const NAME_LENGTH_MAX: usize = 255;
const PATTERN: &str = "[a-zA-Z0-9_.-]+";

/// The table that `given`, a name or an ARN, means to this caller.
pub(super) fn table<'a>(given: &'a str, caller: &Caller) -> Result<&'a str, Fault> {
    if let Some(arn) = Arn::parse(given) {
        return arn.table(caller, given);
    }
    // No name at all is a matter of the model, a short one of tables. [suite: alternator, improper_named_table]
    check(given, if given.is_empty() { 1 } else { NAME_LENGTH_MIN })?;
    Ok(given)
}

/// A name for a table that is to be made, which is held to more than names that are only looked up.
pub(super) fn new_table<'a>(given: &'a str, caller: &Caller) -> Result<&'a str, Fault> {
    if let Some(arn) = Arn::parse(given) {
        return arn.table(caller, given);
    }
    check(given, NAME_LENGTH_MIN)?;
    Ok(given)
}

fn check(name: &str, length_min: usize) -> Result<(), Fault> {
    let length = name.chars().count();
    let rule = if length < length_min {
        format!("Member must have length greater than or equal to {length_min}")
    } else if length > NAME_LENGTH_MAX {
        format!("Member must have length less than or equal to {NAME_LENGTH_MAX}")
    } else if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte)) {
        format!("Member must satisfy regular expression pattern: {PATTERN}")
    } else {
        return Ok(());
    };
    Err(constraint(name, "tableName", &rule))
}

/// `arn:aws:dynamodb:<region>:<account>:table/<rest>`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Arn<'a> {
    pub region: &'a str,
    pub account: &'a str,
    /// What follows `table/`: a table's name, and below it a stream's label or an index's name.
    pub rest: &'a str,
}

impl<'a> Arn<'a> {
    pub fn parse(text: &'a str) -> Option<Arn<'a>> {
        let mut parts = text.splitn(6, ':');
        let (arn, partition, service) = (parts.next()?, parts.next()?, parts.next()?);
        let (region, account, resource) = (parts.next()?, parts.next()?, parts.next()?);
        let rest = resource.strip_prefix("table/")?;
        let shaped = arn == "arn" && partition.starts_with("aws") && service == "dynamodb";
        let addressed =
            !region.is_empty() && account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
        (shaped && addressed && !rest.is_empty()).then_some(Arn { region, account, rest })
    }

    /// The table's name and the stream's label, if it is a stream's ARN.
    pub fn stream(self) -> Option<(&'a str, &'a str)> {
        let (table, label) = self.rest.split_once("/stream/")?;
        (!table.is_empty() && is_label(label)).then_some((table, label))
    }

    fn table(self, caller: &Caller, given: &str) -> Result<&'a str, Fault> {
        check(self.rest, NAME_LENGTH_MIN)?;
        if self.account != &*caller.account {
            return Err(not_yours(caller, given));
        }
        // Tables of other regions are not reached from this one.
        if self.region != &*caller.region {
            return Err(no_resource());
        }
        Ok(self.rest)
    }
}

pub(super) fn not_yours(caller: &Caller, arn: &str) -> Fault {
    access_denied(format!(
        "User: arn:aws:iam::{}:root is not authorized to perform this action on resource: {arn} because no resource-based policy allows it",
        caller.account
    ))
}

/// `2026-11-21T01:02:03.004`
fn is_label(text: &str) -> bool {
    let form = b"dddd-dd-ddTdd:dd:dd.ddd";
    text.len() == form.len()
        && text.bytes().zip(form).all(|(byte, form)| match form {
            b'd' => byte.is_ascii_digit(),
            _ => byte == *form,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller() -> Caller {
        Caller { account: "123456789012".into(), region: "eu-west-1".into(), access_key: None }
    }

    #[test]
    fn tables_by_name_and_by_arn() {
        let check = |given: &str, expect: Result<&str, &str>| {
            let found = table(given, &caller());
            let found = found.as_ref().map(|name| *name).map_err(|fault| fault.name());
            assert_eq!(found, expect, "{given}");
        };
        check("Music", Ok("Music"));
        check("abc", Ok("abc"));
        check("ab", Err("ValidationException"));
        check("a_b.c-d", Ok("a_b.c-d"));
        check("", Err("ValidationException"));
        check("bad table", Err("ValidationException"));
        check(&"a".repeat(256), Err("ValidationException"));
        check("arn:aws:dynamodb:eu-west-1:123456789012:table/Music", Ok("Music"));
        check("arn:aws:dynamodb:us-east-1:123456789012:table/Music", Err("ResourceNotFoundException"));
        check("arn:aws:dynamodb:eu-west-1:210987654321:table/Music", Err("AccessDeniedException"));
        check("arn:aws:dynamodb:eu-west-1:123456789012:table/Mu/sic", Err("ValidationException"));
        check("arn:aws:s3:::bucket", Err("ValidationException"));
    }

    #[test]
    fn streams_by_arn() {
        let check = |arn: &str, expect: Option<(&str, &str)>| {
            assert_eq!(Arn::parse(arn).and_then(Arn::stream), expect, "{arn}");
        };
        check(
            "arn:aws:dynamodb:eu-west-1:123456789012:table/Music/stream/2026-11-21T01:02:03.004",
            Some(("Music", "2026-11-21T01:02:03.004")),
        );
        check("arn:aws:dynamodb:eu-west-1:123456789012:table/Music/stream/2026-11-21", None);
        check("arn:aws:dynamodb:eu-west-1:123456789012:table/Music", None);
        check("Music", None);
    }
}
