//! The ways to name a function: by name, by partial ARN, by ARN, each with a qualifier or without.

use servicekit::call::Caller;
use wire::ServiceError;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionName {
    pub name: String,
    pub qualifier: Option<String>,
}

impl FunctionName {
    /// Reads what a caller wrote; a function elsewhere cannot be reached from here.
    pub fn parse(text: &str, caller: &Caller) -> Result<FunctionName, ServiceError> {
        let parts: Vec<&str> = text.split(':').collect();
        let (owner, rest): (&[&str], &[&str]) = match parts.iter().position(|part| *part == "function") {
            Some(at) if parts.len() > at + 1 => (&parts[..at], &parts[at + 1..]),
            _ => (&[], &parts),
        };
        if let [.., region, account] = owner {
            if owner.len() > 2 && !region.is_empty() && **region != *caller.region {
                let message = format!(
                    "Functions from '{region}' are not reachable in this region ('{}')",
                    caller.region
                );
                return Err(ServiceError::new("ResourceNotFoundException", message).with_status(404));
            }
            if !account.is_empty() && **account != *caller.account {
                return Err(not_found(&arn(caller, rest.first().unwrap_or(&""))));
            }
        }
        match rest {
            [name] => Ok(FunctionName { name: (*name).to_owned(), qualifier: None }),
            [name, qualifier] => {
                Ok(FunctionName { name: (*name).to_owned(), qualifier: Some((*qualifier).to_owned()) })
            }
            _ => Err(not_found(text)),
        }
    }

    /// The same with a qualifier that was given apart.
    pub fn qualified(mut self, apart: Option<&str>) -> Result<FunctionName, ServiceError> {
        match (&self.qualifier, apart) {
            (Some(one), Some(other)) if one != other => Err(ServiceError::new(
                "InvalidParameterValueException",
                "The derived qualifier from the function name does not match the specified qualifier.",
            )
            .with("Type", "User")),
            (None, Some(apart)) => {
                self.qualifier = Some(apart.to_owned());
                Ok(self)
            }
            _ => Ok(self),
        }
    }

    /// The ARN with the qualifier that was asked for.
    pub fn arn(&self, caller: &Caller) -> String {
        let arn = arn(caller, &self.name);
        match &self.qualifier {
            Some(qualifier) => format!("{arn}:{qualifier}"),
            None => arn,
        }
    }
}

pub fn arn(caller: &Caller, name: &str) -> String {
    format!("arn:aws:lambda:{}:{}:function:{name}", caller.region, caller.account)
}

pub fn not_found(arn: &str) -> ServiceError {
    ServiceError::new("ResourceNotFoundException", format!("Function not found: {arn}"))
        .with_status(404)
        .with("Type", "User")
}

pub fn missing(message: impl Into<String>) -> ServiceError {
    ServiceError::new("ResourceNotFoundException", message).with_status(404).with("Type", "User")
}

pub fn invalid(message: impl Into<String>) -> ServiceError {
    ServiceError::new("InvalidParameterValueException", message).with_status(400).with("Type", "User")
}

pub fn conflict(message: impl Into<String>) -> ServiceError {
    ServiceError::new("ResourceConflictException", message).with_status(409).with("Type", "User")
}

#[cfg(test)]
mod tests {
    use super::FunctionName;
    use servicekit::call::Caller;

    #[test]
    fn every_spelling_names_the_same_function() {
        let caller = Caller { account: "123456789012".into(), region: "us-east-1".into(), access_key: None };
        for text in
            ["f", "123456789012:function:f", "function:f", "arn:aws:lambda:us-east-1:123456789012:function:f"]
        {
            let parsed = FunctionName::parse(text, &caller).expect(text);
            assert_eq!((parsed.name.as_str(), parsed.qualifier), ("f", None), "{text}");
            let parsed = FunctionName::parse(&format!("{text}:$LATEST"), &caller).expect(text);
            assert_eq!((parsed.name.as_str(), parsed.qualifier.as_deref()), ("f", Some("$LATEST")), "{text}");
        }
        let elsewhere = FunctionName::parse("arn:aws:lambda:eu-west-1:123456789012:function:f", &caller);
        assert_eq!(
            elsewhere.unwrap_err().message.as_deref(),
            Some("Functions from 'eu-west-1' are not reachable in this region ('us-east-1')")
        );
    }
}
