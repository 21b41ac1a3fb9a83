//! The name of a role, as others write it.

/// The parts of `arn:aws:iam::123456789012:role/path/name` that the rest of the house asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleArn {
    pub account: String,
    /// Without its path.
    pub name: String,
    text: String,
}

impl RoleArn {
    pub fn parse(text: &str) -> Option<RoleArn> {
        let rest = text.strip_prefix("arn:aws:iam::")?;
        let (account, path) = rest.split_once(":role/")?;
        let name = path.rsplit('/').next()?;
        let account_is_one = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
        (account_is_one && !name.is_empty()).then(|| RoleArn {
            account: account.to_owned(),
            name: name.to_owned(),
            text: text.to_owned(),
        })
    }
}

impl std::fmt::Display for RoleArn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}
