//! Names of parameters, and what may follow one: `name:3`, `name:label`, or an ARN in a name's place.

use super::validation;
use wire::ServiceError;

const NAME_MAX: usize = 1_011;
const LEVELS_MAX: usize = 15;
pub(super) const SECRETS: &str = "/aws/reference/secretsmanager/";
pub(super) const PUBLIC: &str = "/aws/service";

/// What a client asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Asked<'a> {
    /// The names that it may be, the likelier first.
    pub names: Vec<&'a str>,
    /// A version's number or label, without its colon.
    pub selector: Option<&'a str>,
}

/// None of an ARN that is no parameter's.
pub(super) fn asked(text: &str) -> Option<Asked<'_>> {
    let name = match text.strip_prefix("arn:") {
        None => text,
        Some(arn) => arn.splitn(5, ':').nth(4)?.strip_prefix("parameter")?,
    };
    let (name, selector) = match name.split_once(':') {
        Some((name, selector)) => (name, Some(selector)),
        None => (name, None),
    };
    let plain = name.strip_prefix('/').unwrap_or(name);
    // An ARN tells `x` and `/x` not apart, and who asks for `/x` may mean `x`. [suite: recorded answers]
    let names = match (text.starts_with("arn:"), plain.contains('/')) {
        (true, false) => vec![plain, name],
        (false, false) if plain != name => vec![name, plain],
        _ => vec![name],
    };
    Some(Asked { names, selector })
}

pub(super) fn arn(region: &str, account: &str, name: &str) -> String {
    format!("arn:aws:ssm:{region}:{account}:parameter/{}", name.strip_prefix('/').unwrap_or(name))
}

/// Whether a parameter of this name can be there at all: whoever asks for another one has made a mistake. [suite: recorded answers]
pub(super) fn check_form(name: &str) -> Result<(), ServiceError> {
    let plain = name.strip_prefix('/').unwrap_or(name);
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/".contains(&byte);
    let has_gap = plain.is_empty() || plain.ends_with('/') || plain.contains("//");
    let is_torn = plain.contains('/') && !name.starts_with('/');
    match has_gap || is_torn || !name.bytes().all(fits) {
        true => Err(validation(FORM)),
        false => Ok(()),
    }
}

const FORM: &str = "Parameter name: can't be prefixed with \"ssm\" (case-insensitive). If formed as a path, it can consist of sub-paths divided by slash symbol; each sub-path can be formed as a mix of letters, numbers and the following 3 symbols .-_";

/// Whether a new parameter may have this name.
pub(super) fn check(name: &str) -> Result<(), ServiceError> {
    let plain = name.strip_prefix('/').unwrap_or(name);
    let is_path = plain.contains('/');
    let lower = plain.to_ascii_lowercase();
    if lower.starts_with("aws") && name.starts_with('/') && is_path {
        let message = format!("No access to reserved parameter name: {name}.");
        return Err(ServiceError::new("AccessDeniedException", message));
    }
    if !is_path && (lower.starts_with("aws") || lower.starts_with("ssm")) {
        return Err(validation(
            "Parameter name: can't be prefixed with \"aws\" or \"ssm\" (case-insensitive).",
        ));
    }
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/".contains(&byte);
    let has_gap = plain.is_empty() || plain.ends_with('/') || plain.contains("//");
    if lower.starts_with("ssm") || has_gap || !name.bytes().all(fits) {
        return Err(validation(FORM));
    }
    if is_path && !name.starts_with('/') {
        return Err(validation("Parameter name must be a fully qualified name."));
    }
    if name.len() > NAME_MAX {
        return Err(validation(format!("Parameter name: no longer than {NAME_MAX} characters.")));
    }
    if is_path && plain.split('/').count() > LEVELS_MAX {
        let message = format!("A hierarchy can have a maximum of {LEVELS_MAX} levels.");
        return Err(ServiceError::new("HierarchyLevelLimitExceededException", message));
    }
    Ok(())
}

/// A path that ends in a slash.
pub(super) fn path(path: &str) -> Result<String, ServiceError> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/".contains(&byte);
    if !path.starts_with('/') || path.contains("//") || !path.bytes().all(fits) {
        return Err(validation(
            "The parameter doesn't meet the parameter name requirements. The parameter name must begin with a forward slash \"/\". It can't be prefixed with \"aws\" or \"ssm\" (case-insensitive). It must use only letters, numbers, or the following symbols: . (period), - (hyphen), _ (underscore). Special characters are not allowed. All sub-paths, if specified, must use the forward slash symbol \"/\". Valid example: /get/parameters2-/by1./path0_.",
        ));
    }
    Ok(format!("{}/", path.trim_end_matches('/')))
}

/// Whether a name lies below a path that ends in a slash.
pub(super) fn below(name: &str, path: &str, recursive: bool) -> bool {
    let rest = match path {
        "/" => Some(name.strip_prefix('/').unwrap_or(name)),
        path => name.strip_prefix(path),
    };
    rest.is_some_and(|rest| recursive || !rest.contains('/'))
}
